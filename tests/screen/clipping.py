"""Words that cannot be read: short of room, cut off by a neighbour, or drawn over one another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pyqtgraph
from PyQt5.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import (
    QFont,
    QFontMetrics,
    QPainterPath,
    QPainterPathStroker,
    QTextDocument,
    QTextOption,
)
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QGraphicsTextItem,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStyle,
    QTableWidget,
    QWidget,
)

from guidance.screen import RoomWindow, theme
from guidance.screen.progress import ShortLabel

Words = QLabel | QAbstractButton
# Of what is drawn at fractions of a pixel.
SLACK = 1
# Heads of tables, as the style sheet has them.
HEAD_PX = 16


def clipped(window: RoomWindow) -> list[str]:
    """Return what cannot be read of all that is shown, one sentence each."""
    shown = [
        widget
        for kind in (QLabel, QAbstractButton)
        for widget in window.findChildren(kind)
        if widget.isVisible() and widget.text()
    ]
    return [
        *_short(shown),
        *_outside(shown, window),
        *_overlapping(window, shown),
        *_in_pictures(window),
        *_elided(window),
        *_cells(window),
        *_fields(window),
    ]


def plain(text: str) -> str:
    """Return rich text as it is read."""
    document = QTextDocument()
    document.setHtml(text)
    return " ".join(document.toPlainText().split())


def _document(label: QLabel, width: float) -> QTextDocument:
    """Lay the words of a label out as it does, at a width; -1 for as wide as they want."""
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.setDefaultFont(label.font())
    # A word is not parted: what is broken within cannot be read at a glance.
    whole = QTextOption(document.defaultTextOption())
    whole.setWrapMode(QTextOption.WrapMode.WordWrap)
    document.setDefaultTextOption(whole)
    document.setHtml(label.text())
    document.setTextWidth(width)
    return document


def _short(shown: list[Words]) -> Iterator[str]:
    """Yield the labels and buttons whose words need more room than they have."""
    for widget in shown:
        if isinstance(widget, QLabel) and widget.wordWrap():
            room = widget.contentsRect().size()
            laid = _document(widget, room.width())
            # A table, or a word that cannot be parted, may be wider than the label.
            need = QSize(round(laid.idealWidth()), widget.heightForWidth(widget.width()))
            room.setHeight(widget.height())
        else:
            # Letters may lose the leading above and below.
            need, room = widget.sizeHint() - QSize(0, 2), widget.size()
        for across, wanted, has in (
            ("wide", need.width(), room.width()),
            ("high", need.height(), room.height()),
        ):
            if wanted > has + SLACK:
                yield f"{plain(widget.text())!r} is {wanted} {across}, has {has}"


def _place(widget: QWidget, window: QWidget, inside: QRect | None = None) -> QRect:
    """Return where something inside a widget lies on the window; all of it if left out."""
    part = widget.rect() if inside is None else inside
    return QRect(widget.mapTo(window, part.topLeft()), part.size())


def _outside(shown: list[Words], window: QWidget) -> Iterator[str]:
    """Yield words that leave what they stand in."""
    for widget in shown:
        there, above = _place(widget, window), widget.parentWidget()
        # What is scrolled out of sight can be scrolled back.
        while above is not None and above is not window and not _scrolls(above):
            room = _place(above, window).adjusted(-SLACK, -SLACK, SLACK, SLACK)
            if not room.contains(there):
                yield f"{plain(widget.text())!r} leaves {type(above).__name__}"
                break
            above = above.parentWidget()


def _scrolls(widget: QWidget) -> bool:
    return isinstance(widget.parentWidget(), QScrollArea)


def _seen(widget: QWidget, window: QWidget, there: QRect) -> QRect:
    """Return what can be seen of a place on the window, where it stands in what is scrolled."""
    above: QWidget | None = widget
    while above is not None:
        if _scrolls(above):
            return there.intersected(_place(above, window))
        above = above.parentWidget()
    return there


def _ink(widget: Words) -> QRect:
    """Return the part of a widget that its words take: buttons all, labels as they are aligned."""
    if not isinstance(widget, QLabel):
        return widget.rect()
    room = widget.contentsRect()
    laid = _document(widget, room.width() if widget.wordWrap() else -1)
    broad = min(laid.idealWidth(), room.width())
    size = QSize(round(broad), min(round(laid.size().height()), room.height()))
    return QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, widget.alignment(), size, room)


def _overlapping(window: QWidget, shown: list[Words]) -> Iterator[str]:
    """Yield words that stand on other words, or on a curve of a plot."""
    places = [(plain(w.text()), _seen(w, window, _place(w, window, _ink(w)))) for w in shown]
    plots = [p for p in window.findChildren(pyqtgraph.PlotWidget) if p.isVisible()]
    for plot in plots:
        places += _written(plot, window)
    for (one, here), (other, there) in combinations(places, 2):
        both = here.intersected(there)
        if min(both.width(), both.height()) > SLACK:
            yield f"{one!r} and {other!r} overlap"
    for plot in plots:
        seen, curves = _curves(plot, window)
        for text, at in places:
            if any(curve.intersects(QRectF(at.intersected(seen))) for curve in curves):
                yield f"a curve runs through {text!r}"


def _written(plot: pyqtgraph.PlotWidget, window: QWidget) -> list[tuple[str, QRect]]:
    """Return what is written in a plot, and where on the window."""
    items = [i for i in plot.scene().items() if isinstance(i, QGraphicsTextItem) and i.isVisible()]
    there = [plot.mapFromScene(i.sceneBoundingRect()).boundingRect() for i in items]
    return [
        (item.toPlainText(), _place(plot, window, at))
        for item, at in zip(items, there, strict=True)
        if item.toPlainText()
    ]


def _curves(plot: pyqtgraph.PlotWidget, window: QWidget) -> tuple[QRect, list[QPainterPath]]:
    """Return the part of the window that shows a plot's curves, and these as broad as a pen."""
    there = plot.mapFromScene(plot.getViewBox().sceneBoundingRect()).boundingRect()
    corner = plot.mapTo(window, QPoint(0, 0))
    found = []
    for item in plot.listDataItems():
        path = plot.mapFromScene(item.curve.mapToScene(item.curve.getPath()))
        path.translate(corner.x(), corner.y())
        found.append(QPainterPathStroker().createStroke(path))
    return _place(plot, window, there), found


def _in_pictures(window: RoomWindow) -> Iterator[str]:
    """Yield words on a picture that leave it, or stand on other words there."""
    for view in window.scene.views:
        room = QRectF(view.rect()).adjusted(-SLACK, -SLACK, SLACK, SLACK)
        written = view.written if view.isVisible() else []
        for text, at in written:
            if not room.contains(at):
                yield f"{text!r} leaves the picture {view.title}"
        for (one, here), (other, there) in combinations(written, 2):
            both = here.intersected(there)
            # Letters have air above and below.
            if both.width() > SLACK and both.height() > 0.3 * min(here.height(), there.height()):
                yield f"{one!r} and {other!r} overlap in the picture {view.title}"


def _elided(window: QWidget) -> Iterator[str]:
    """Yield lines that show only the beginning of what they say."""
    for line in window.findChildren(ShortLabel):
        if line.isVisible() and line.text() != line.toolTip():
            yield f"{line.toolTip()!r} is cut to {line.text()!r}"


def _cells(window: QWidget) -> Iterator[str]:
    """Yield heads and cells of tables that are wider than their column."""
    for table in window.findChildren(QTableWidget):
        if not table.isVisible():
            continue
        heads, letters = table.horizontalHeader(), _letters(window, HEAD_PX)
        assert heads is not None
        for column in range(table.columnCount()):
            has = table.columnWidth(column)
            head = table.horizontalHeaderItem(column)
            assert head is not None
            need = letters.horizontalAdvance(head.text())
            if heads.isVisible() and need > has + SLACK:
                yield f"head {head.text()!r} is {need} wide, has {has}"
            for row in range(table.rowCount()):
                item = table.item(row, column)
                if item is None:
                    continue
                room = QRect(0, 0, has, table.rowHeight(row))
                wrapped = int(Qt.TextFlag.TextWordWrap)
                need = table.fontMetrics().boundingRect(room, wrapped, item.text())
                if need.width() > has + SLACK or need.height() > room.height() + SLACK:
                    yield f"cell {item.text()!r} has {has} x {room.height()}"


def _letters(window: QWidget, pixels: float) -> QFontMetrics:
    """Return the size of letters that only the style sheet knows."""
    font = QFont(window.font())
    font.setPixelSize(round(pixels * theme.scale_of(window.width(), window.height())))
    return QFontMetrics(font)


def _fields(window: QWidget) -> Iterator[str]:
    """Yield hints, numbers and choices that are wider than their field."""
    for field in window.findChildren(QLineEdit):
        if not field.isVisible() or isinstance(field.parentWidget(), QAbstractSpinBox):
            continue
        need = field.fontMetrics().horizontalAdvance(field.placeholderText())
        if not field.text() and need > field.contentsRect().width() + SLACK:
            yield f"hint {field.placeholderText()!r} is {need} wide, has {field.width()}"
    for kind in (QAbstractSpinBox, QComboBox):
        for box in window.findChildren(kind):
            text = box.text() if isinstance(box, QAbstractSpinBox) else box.currentText()
            line = box.lineEdit() if isinstance(box, QAbstractSpinBox) else None
            has = (line or box).contentsRect().width()
            if box.isVisible() and box.fontMetrics().horizontalAdvance(text) > has + SLACK:
                yield f"{text!r} is wider than its box, {has}"
