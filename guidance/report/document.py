"""The report as a PDF: what the snapshot says, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from guidance.advice import MODELLED
from guidance.procedure.snapshot import Snapshot
from guidance.report import tables
from guidance.report.doses import doses
from guidance.report.paper import BODY, CELL, CJK_FONT, SECTION, TITLE, WIDTH, table, text

NOTICE = "Research software, not a medical device"
LIMITS = (
    "Dose by TG-43 is that of AAPM TG-43U1 (2D line source where a seed's direction is known), in "
    "water, to full decay of the seeds. Tissue other than water, bone in particular, shielding of "
    "seeds by one another, needles, oedema and movement after the scan are not in it. Earlier "
    "external beam dose is not added. Positions are those seen on the last scan, else those "
    "counted."
)
MODELLED_LIMITS = (
    "Dose named model-based or Monte Carlo is research. It takes tissue from the CT's numbers and "
    "meets the seeds' metal, but no needles; it is not validated against measurements in bone. "
    "Prescription and limits come from practice with TG-43."
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
        *doses(snapshot),
        *_implant(snapshot),
        *_people(snapshot),
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
        Paragraph("Post-implant report: permanent seed brachytherapy", TITLE),
        Paragraph(f"<b>{NOTICE}.</b> Every figure must be checked by a physicist.", BODY),
        Spacer(0, 2 * mm),
        table(tables.patient_rows(snapshot), widths=(0.18, 0.82), heading=False),
    ]


def _implant(snapshot: Snapshot) -> list[Flowable]:
    parts: list[Flowable] = []
    if snapshot.needles:
        parts += [
            Paragraph("Needles: seen against planned", SECTION),
            table(
                tables.needle_rows(snapshot),
                widths=(0.09, 0.12, 0.12, 0.12, 0.1, 0.31, 0.14),
            ),
        ]
    if snapshot.additions:
        parts.append(
            KeepTogether(
                [
                    Paragraph("Supplementary seeds: planned in the room, beyond the plan", SECTION),
                    table(
                        tables.supplement_rows(snapshot),
                        widths=(0.07, 0.08, 0.11, 0.38, 0.14, 0.22),
                    ),
                    Paragraph(
                        "Drawn back: from the deepest point of the needle to this seed.", CELL
                    ),
                ]
            )
        )
    parts += [
        Paragraph("Seeds", SECTION),
        Paragraph(text(tables.places(snapshot)), BODY),
        Spacer(0, 1.5 * mm),
    ]
    if snapshot.seeds:
        parts.append(table(tables.seed_rows(snapshot)))
    verdict = "Every seed has a known place." if snapshot.ledger.balanced else "NOT BALANCED."
    parts += [
        Paragraph("Ledger", SECTION),
        table(tables.ledger_rows(snapshot)),
        Paragraph(f"<b>{verdict}</b>", BODY),
        Paragraph("Alarms", SECTION),
    ]
    if snapshot.alarms:
        parts.append(table(tables.alarm_rows(snapshot), widths=(0.12, 0.1, 0.6, 0.18)))
    else:
        parts.append(Paragraph("None is standing.", BODY))
    return parts


def _people(snapshot: Snapshot) -> list[Flowable]:
    """Return what people answered, corrected and signed; only what there is."""
    signed = snapshot.signatures or snapshot.roles_wanted
    parts: list[Flowable] = []
    for title, there, rows, widths in (
        ("Time-out", snapshot.checklist, tables.check_rows, (0.42, 0.14, 0.16, 0.16, 0.12)),
        ("Corrections by hand", snapshot.edits, tables.edit_rows, (0.16, 0.14, 0.2, 0.38, 0.12)),
        ("Signed in the room", signed, tables.signature_rows, (0.34, 0.36, 0.3)),
    ):
        if there:
            parts += [Paragraph(title, SECTION), table(rows(snapshot), widths=widths)]
    return parts


def _comparison(comparison: dict[str, Any] | None) -> list[Flowable]:
    if comparison is None:
        return []
    return [
        Paragraph("Comparison with the truth (virtual patient)", SECTION),
        table(tables.comparison_rows(comparison), widths=(0.36, 0.16, 0.22, 0.26)),
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
    both = snapshot.modelled is not None or snapshot.engine == MODELLED
    return [
        KeepTogether(
            [
                Paragraph("Limits of this calculation", SECTION),
                Paragraph(LIMITS, BODY),
                *([Paragraph(MODELLED_LIMITS, BODY)] if both else []),
                Paragraph(text(f"Journal of the case, last hash: {digest}"), CELL),
                Paragraph("Signatures", SECTION),
                signatures,
            ]
        )
    ]


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
