"""Pages that take the place of the tables, one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtWidgets import QHBoxLayout, QWidget

from guidance.screen.panels import ignore_hint


class Pages:
    """Shows the tables, or one of the pages in their place."""

    def __init__(
        self, row: QHBoxLayout, tables: Sequence[tuple[QWidget, int]], pages: Sequence[QWidget]
    ) -> None:
        """Put tables and pages into a row.

        Args:
            row: empty.
            tables: each with its share of the row.
            pages: hidden for now.
        """
        self._tables, self._pages = [table for table, _ in tables], list(pages)
        for table, share in tables:
            row.addWidget(table, share)
        for page in pages:
            page.hide()
            # A page fits the place of the tables, whatever it has to say.
            ignore_hint(page)
            row.addWidget(page, 100)

    @property
    def shown(self) -> int | None:
        """The number of the page shown; None while the tables are."""
        return next((i for i, p in enumerate(self._pages) if not p.isHidden()), None)

    def toggle(self, page: QWidget) -> bool:
        """Show a page, or the tables again; return whether it is shown now."""
        shown = page.isHidden()
        for other in self._pages:
            other.setVisible(shown and other is page)
        for table in self._tables:
            table.setVisible(not shown)
        return shown

    def show(self, number: int | None) -> None:
        """Show a page by its number, or the tables."""
        if number != self.shown:
            wanted = self.shown if number is None else number
            assert wanted is not None
            self.toggle(self._pages[wanted])
