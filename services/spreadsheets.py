"""Text that is safe in a spreadsheet, and fits into its cells."""

from typing import Final

from db.statements.exports import RISKY

CELL_UNITS: Final = 32_767  # what a cell holds, in units of UTF-16


def escape_formula(value: str | None) -> str:
    """Text that a spreadsheet shows and does not run: an apostrophe precedes what would begin a formula."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(RISKY) else value


def units(text: str) -> int:
    """The length of the text as spreadsheets count it: a character beyond U+FFFF counts twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def parts_of(text: str) -> list[str]:
    """The text in parts that fit into a cell and join up to the whole."""
    if units(text) <= CELL_UNITS:
        return [text]
    # This many characters fit, whatever they are.
    step = CELL_UNITS if text.isascii() else CELL_UNITS // 2
    return [text[start : start + step] for start in range(0, len(text), step)]
