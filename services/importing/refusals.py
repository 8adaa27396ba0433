"""Refusals of a value of an order document: the path of its field, and a sentence that repeats the value safely."""

from typing import Any, NoReturn

# Any: what JSON holds is only known after the checks, which take such objects apart.
JsonObject = dict[str, Any]


class WrongField(Exception):
    """A value that cannot be used: the path of its field, and the reason as one sentence."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def quote(value: object, limit: int = 40) -> str:
    """The value as an error message repeats it: on one line, shortened, without unprintable characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    string = str(value)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in string[:limit])
    clean += "…" if len(string) > limit else ""
    return f"“{clean}”" if isinstance(value, str) else clean


def refuse(where: str, key: str, expected: str, value: object) -> NoReturn:
    if value is None:
        raise WrongField(where + key, f"This field is missing: expected {expected}.")
    raise WrongField(where + key, f"Expected {expected}, but the document has {quote(value)}.")
