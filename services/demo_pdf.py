"""The files of demo orders: small, real PDFs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF


def receipt_pdf(title: str, lines: Sequence[str]) -> bytes:
    """One page with a title and a few lines of Latin text; the same bytes for the same words."""
    pdf = FPDF(format="A4")
    pdf.creation_date = datetime(2020, 1, 1, tzinfo=UTC)
    pdf.add_page()
    pdf.set_font("Helvetica", size=18)
    pdf.cell(0, 14, title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", size=11)
    for line in (*lines, "A sample of the demo; it has no value."):
        pdf.cell(0, 7, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())
