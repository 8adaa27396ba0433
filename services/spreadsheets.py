"""Text that is safe in a spreadsheet."""

from db.statements.exports import RISKY


def escape_formula(value: str | None) -> str:
    """Text that a spreadsheet shows and does not run: an apostrophe precedes what would begin a formula."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(RISKY) else value
