"""What the report is made of: styles, tables, pictures, and texts in a font that has them."""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Image, Paragraph, Table, TableStyle

WIDTH = A4[0] - 36 * mm
# Every PDF reader has it; names in Chinese need no font of ours.
CJK_FONT = "STSong-Light"
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8.5, leading=11)
CELL = ParagraphStyle("cell", fontName="Helvetica", fontSize=7.3, leading=8.8)
HEAD = ParagraphStyle("head", parent=CELL, fontName="Helvetica-Bold")
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=15, leading=19)
SECTION = ParagraphStyle(
    "section",
    fontName="Helvetica-Bold",
    fontSize=10.5,
    leading=14,
    spaceBefore=7,
    spaceAfter=3,
    keepWithNext=1,
)


def table(
    rows: list[list[str]], *, widths: tuple[float, ...] | None = None, heading: bool = True
) -> Table:
    """Return a table of texts, the first row its heading; widths are shares of the page."""
    cells = [
        [Paragraph(text(v), HEAD if heading and i == 0 else CELL) for v in row]
        for i, row in enumerate(rows)
    ]
    share = widths or (1.0 / len(rows[0]),) * len(rows[0])
    table = Table(cells, colWidths=[w * WIDTH for w in share], repeatRows=1 if heading else 0)
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ]
    if heading:
        style.append(("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke))
    table.setStyle(TableStyle(style))
    return table


def image(png: bytes, width: float) -> Image:
    """Return a picture of a width on the page."""
    image = Image(io.BytesIO(png))
    image.drawHeight = width * image.imageHeight / image.imageWidth
    image.drawWidth = width
    return image


def text(value: str) -> str:
    """Return a text for a paragraph: escaped, and in a font that has its characters."""
    text = escape(value).replace("\n", "<br/>")
    if all(ord(c) < 0x250 for c in text):
        return text
    return "".join(c if ord(c) < 0x250 else f'<font name="{CJK_FONT}">{c}</font>' for c in text)
