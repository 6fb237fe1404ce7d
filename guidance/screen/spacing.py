"""The air between widgets, which grows with the window as the letters do."""

from __future__ import annotations

from PyQt5.QtWidgets import QBoxLayout, QGridLayout, QLayout, QWidget

# Where a layout keeps what it was made with, pixels at the design.
KEPT = "design"


def spread(root: QWidget, scale: float) -> None:
    """Set margins and gaps of all layouts under a widget; never less than they were made with.

    Args:
        root: of the window.
        scale: of the window against the design.
    """
    grown = max(1.0, scale)
    for layout in root.findChildren(QLayout):
        if isinstance(layout, QBoxLayout | QGridLayout):
            _spread(layout, grown)


def _spread(layout: QBoxLayout | QGridLayout, scale: float) -> None:
    if layout.property(KEPT) is None:
        margins = layout.contentsMargins()
        gaps = (
            (layout.horizontalSpacing(), layout.verticalSpacing())
            if isinstance(layout, QGridLayout)
            else (layout.spacing(), 0)
        )
        edges = (margins.left(), margins.top(), margins.right(), margins.bottom())
        layout.setProperty(KEPT, [*edges, *gaps])
    kept = [round(pixels * scale) for pixels in layout.property(KEPT)]
    layout.setContentsMargins(*kept[:4])
    if isinstance(layout, QGridLayout):
        layout.setHorizontalSpacing(kept[4])
        layout.setVerticalSpacing(kept[5])
    else:
        layout.setSpacing(kept[4])
