"""The files of demo orders: small, real PDFs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF

from services.pdf.pages import TextPages, plain_text

_LATIN = "Helvetica"  # a font of every PDF reader: nothing is embedded, and a demo's files stay small


def receipt_pdf(title: str, lines: Sequence[str]) -> bytes:
    """One page with a title and a few lines of text in any script; the same bytes for the same words."""
    texts = [plain_text(line) for line in (*lines, "A sample of the demo; it has no value.")]
    is_latin = all(_is_latin(text) for text in (title, *texts))
    pdf: FPDF = FPDF(format="A4") if is_latin else TextPages([title, *texts])
    font = _LATIN if is_latin else "text"
    pdf.creation_date = datetime(2020, 1, 1, tzinfo=UTC)
    pdf.add_page()
    pdf.set_font(font, size=18)
    pdf.cell(0, 14, title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(font, size=11)
    for text in texts:
        pdf.cell(0, 7, text, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
