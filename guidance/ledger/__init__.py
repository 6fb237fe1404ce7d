"""Every seed has a place at every moment."""

from guidance.ledger.account import Account, Cartridge, Disposition, LedgerView

__all__ = ["Account", "Cartridge", "Disposition", "LedgerView"]
