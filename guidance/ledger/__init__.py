"""Every seed has a place at every moment."""

from guidance.ledger.account import Account, Cartridge, Delivery, Disposition, LedgerView

__all__ = ["Account", "Cartridge", "Delivery", "Disposition", "LedgerView"]
