"""The report as a PDF: what the snapshot says, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Image,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from dose.structures import Structure
from guidance.procedure.snapshot import ModelledView, Snapshot
from guidance.report import tables
from guidance.report.figures import dvh_png, slices_png

TARGET_ROLES = ("GTV", "CTV", "PTV")
NOTICE = "Research software, not a medical device"
WIDTH = A4[0] - 36 * mm
# Every PDF reader has it; names in Chinese need no font of ours.
CJK_FONT = "STSong-Light"
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8.5, leading=11)
_CELL = ParagraphStyle("cell", fontName="Helvetica", fontSize=7.3, leading=8.8)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=15, leading=19)
_SECTION = ParagraphStyle(
    "section", fontName="Helvetica-Bold", fontSize=10.5, leading=14, spaceBefore=7, spaceAfter=3
)
LIMITS = (
    "Dose is TG-43 (AAPM TG-43U1, 2D line source where a seed's direction is known), in water, to "
    "full decay of the seeds. Tissue other than water, bone in particular, shielding of seeds by "
    "one another, needles, oedema and movement after the scan are not in it. Earlier external "
    "beam dose is not added. Positions are those seen on the last scan, else those counted."
)


def write_report(
    path: Path,
    snapshot: Snapshot,
    *,
    journal_digest: str = "",
    comparison: dict[str, Any] | None = None,
) -> None:
    """Write the report of a case, all or nothing.

    Args:
        path: the PDF.
        snapshot: the case.
        journal_digest: last hash of the case's journal; printed so that the report names it.
        comparison: of a simulated case with its truth.
    """
    pdfmetrics.registerFont(UnicodeCIDFont(CJK_FONT))
    story = [
        *_opening(snapshot),
        *_dose(snapshot),
        *_modelled(snapshot),
        *_implant(snapshot),
        *_comparison(comparison),
        *_closing(snapshot, journal_digest),
    ]
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=20 * mm,
        bottomMargin=16 * mm,
        title=f"Post-implant report {snapshot.case_id}",
        author="seedguide",
        subject=NOTICE,
    )
    document.build(story, canvasmaker=_canvas_for(snapshot))
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(buffer.getvalue())
    temporary.replace(path)


def _opening(snapshot: Snapshot) -> list[Flowable]:
    return [
        Paragraph("Post-implant report: permanent seed brachytherapy", _TITLE),
        Paragraph(f"<b>{NOTICE}.</b> Every figure must be checked by a physicist.", _BODY),
        Spacer(0, 2 * mm),
        _table(tables.patient_rows(snapshot), widths=(0.18, 0.82), heading=False),
    ]


def _dose(snapshot: Snapshot) -> list[Flowable]:
    parts: list[Flowable] = [Paragraph("Dose", _SECTION)]
    dose = snapshot.dose
    if dose is None:
        return [*parts, Paragraph("No dose was computed: there is no registered plan.", _BODY)]
    brackets = "; in brackets the plan's, in the room's frame" if snapshot.planned_dose else ""
    method = f"{dose.method}. Seeds in this dose: {dose.seeds}, after event {dose.event_number}"
    parts += [
        Paragraph(_text(f"{method}{brackets}."), _BODY),
        Spacer(0, 1.5 * mm),
        _table(tables.dose_rows(dose, snapshot.planned_dose)),
        Spacer(0, 2 * mm),
        _image(dvh_png(dose, snapshot.planned_dose, _current(snapshot)), WIDTH),
    ]
    if snapshot.dose_is_stale:
        parts.append(Paragraph("<b>A seed has changed since this dose.</b>", _BODY))
    target = _target(snapshot)
    if snapshot.volume is None or target is None:
        parts.append(Paragraph("No slices: the scan or the target is missing.", _BODY))
    else:
        caption = snapshot.scan.description if snapshot.scan else "the latest scan"
        parts.append(
            KeepTogether(
                [
                    Paragraph("Isodoses on CT", _SECTION),
                    Paragraph(
                        _text(f"On {caption}. Green: seeds seen; purple: not seen, as counted."),
                        _BODY,
                    ),
                    _image(slices_png(snapshot, target), WIDTH),
                ]
            )
        )
    return parts


def _modelled(snapshot: Snapshot) -> list[Flowable]:
    """Return both methods side by side, each under its name; nothing where there is one only."""
    view, dose = snapshot.modelled, snapshot.dose
    if view is None and not snapshot.modelled_refused:
        return []
    parts: list[Flowable] = [Paragraph("TG-43 and model-based dose (research)", _SECTION)]
    if view is None or dose is None:
        why = snapshot.modelled_refused or "There is no TG-43 dose to set it beside."
        return [*parts, Paragraph(_text(f"There is no model-based dose. {why}"), _BODY)]
    reached = ", ".join(f"{100 * value:.1f} % in the {name}" for name, value in view.reached)
    said = (
        f"{view.method}, after event {view.event_number}. {view.histories:,} histories, mean "
        f"standard uncertainty {reached}. It is not validated against measurements in bone; the "
        "dose above and the isodoses are TG-43, and so are all histograms but the dotted ones."
    )
    parts += [
        Paragraph(_text(said), _BODY),
        Spacer(0, 1.5 * mm),
        _table(
            tables.method_rows(dose, view, _targets(snapshot)),
            widths=(0.22, 0.12, 0.16, 0.18, 0.18, 0.14),
        ),
        *(Paragraph(_text(remark), _CELL) for remark in view.remarks),
    ]
    if snapshot.modelled_is_stale:
        parts.append(Paragraph("<b>The implant has changed since the model-based dose.</b>", _BODY))
    elif not view.ended:
        parts.append(Paragraph("<b>The model-based dose had not converged to its end.</b>", _BODY))
    return [KeepTogether(parts)]


def _current(snapshot: Snapshot) -> ModelledView | None:
    """Return the model-based dose of this very implant."""
    return None if snapshot.modelled_is_stale else snapshot.modelled


def _targets(snapshot: Snapshot) -> set[str]:
    named = {snapshot.plan.target_name} if snapshot.plan else set()
    return named | {s.name for s in snapshot.structures if s.role.upper() in TARGET_ROLES}


def _implant(snapshot: Snapshot) -> list[Flowable]:
    parts: list[Flowable] = []
    if snapshot.needles:
        parts += [
            Paragraph("Needles: seen against planned", _SECTION),
            _table(
                tables.needle_rows(snapshot),
                widths=(0.09, 0.12, 0.12, 0.12, 0.1, 0.31, 0.14),
            ),
        ]
    if snapshot.additions:
        parts.append(
            KeepTogether(
                [
                    Paragraph(
                        "Supplementary seeds: planned in the room, beyond the plan", _SECTION
                    ),
                    _table(
                        tables.supplement_rows(snapshot),
                        widths=(0.07, 0.08, 0.11, 0.38, 0.14, 0.22),
                    ),
                    Paragraph(
                        "Drawn back: from the deepest point of the needle to this seed.", _CELL
                    ),
                ]
            )
        )
    parts += [
        Paragraph("Seeds", _SECTION),
        Paragraph(_text(tables.places(snapshot)), _BODY),
        Spacer(0, 1.5 * mm),
    ]
    if snapshot.seeds:
        parts.append(_table(tables.seed_rows(snapshot)))
    verdict = "Every seed has a known place." if snapshot.ledger.balanced else "NOT BALANCED."
    parts += [
        Paragraph("Ledger", _SECTION),
        _table(tables.ledger_rows(snapshot)),
        Paragraph(f"<b>{verdict}</b>", _BODY),
        Paragraph("Alarms", _SECTION),
    ]
    if snapshot.alarms:
        parts.append(_table(tables.alarm_rows(snapshot), widths=(0.12, 0.1, 0.6, 0.18)))
    else:
        parts.append(Paragraph("None is standing.", _BODY))
    return parts


def _comparison(comparison: dict[str, Any] | None) -> list[Flowable]:
    if comparison is None:
        return []
    return [
        Paragraph("Comparison with the truth (virtual patient)", _SECTION),
        _table(tables.comparison_rows(comparison), widths=(0.36, 0.16, 0.22, 0.26)),
    ]


def _closing(snapshot: Snapshot, journal_digest: str) -> list[Flowable]:
    lines = [["Physicist", "", "Date", ""], ["Radiologist", "", "Date", ""]]
    signatures = Table(
        lines, colWidths=[0.14 * WIDTH, 0.5 * WIDTH, 0.1 * WIDTH, 0.26 * WIDTH], rowHeights=11 * mm
    )
    signatures.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), "Helvetica", 8.5),
                ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
                ("LINEBELOW", (1, 0), (1, -1), 0.6, colors.black),
                ("LINEBELOW", (3, 0), (3, -1), 0.6, colors.black),
            ]
        )
    )
    digest = journal_digest or "not given"
    return [
        KeepTogether(
            [
                Paragraph("Limits of this calculation", _SECTION),
                Paragraph(LIMITS, _BODY),
                Paragraph(_text(f"Journal of the case, last hash: {digest}"), _CELL),
                Paragraph("Signatures", _SECTION),
                signatures,
            ]
        )
    ]


def _target(snapshot: Snapshot) -> Structure | None:
    wanted = snapshot.plan.target_name if snapshot.plan else ""
    drawn = [s for s in snapshot.structures if s.contours]
    return next((s for s in drawn if s.name == wanted), drawn[0] if drawn else None)


def _table(
    rows: list[list[str]], *, widths: tuple[float, ...] | None = None, heading: bool = True
) -> Table:
    cells = [
        [Paragraph(_text(v), _HEAD if heading and i == 0 else _CELL) for v in row]
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


def _image(png: bytes, width: float) -> Image:
    image = Image(io.BytesIO(png))
    image.drawHeight = width * image.imageHeight / image.imageWidth
    image.drawWidth = width
    return image


def _text(value: str) -> str:
    """Return a text for a paragraph: escaped, and in a font that has its characters."""
    text = escape(value).replace("\n", "<br/>")
    if all(ord(c) < 0x250 for c in text):
        return text
    return "".join(c if ord(c) < 0x250 else f'<font name="{CJK_FONT}">{c}</font>' for c in text)


def _canvas_for(snapshot: Snapshot) -> type[Canvas]:
    """Return a canvas that heads every page with whose report it is, and counts the pages."""
    who = f"{snapshot.patient_name or 'no name'}   ID {snapshot.patient_id or 'none'}"
    case = f"case {snapshot.case_id}"

    class Numbered(Canvas):
        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]  # missing in the stubs

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self._head(f"page {number} of {len(self._pages)}")
                super().showPage()
            super().save()

        def _head(self, page: str) -> None:
            self.setFont(CJK_FONT if any(ord(c) > 0x24F for c in who) else "Helvetica", 8)
            self.drawString(18 * mm, A4[1] - 12 * mm, who)
            self.setFont("Helvetica", 8)
            self.drawRightString(A4[0] - 18 * mm, A4[1] - 12 * mm, case)
            self.line(18 * mm, A4[1] - 14 * mm, A4[0] - 18 * mm, A4[1] - 14 * mm)
            self.drawString(18 * mm, 9 * mm, NOTICE)
            self.drawRightString(A4[0] - 18 * mm, 9 * mm, page)

    return Numbered
