"""A view: a search under a name, with the choices of its export."""

from dataclasses import dataclass, replace
from typing import Self

from services.errors import NotAllowed, NotFound
from services.orders.filters import SearchInput


class ViewNotFound(NotFound):
    message = "This view does not exist any longer, or is not shared with you."


class NotYourView(NotAllowed):
    message = "A team's view is changed by its author or by an administrator."


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What an export of the view contains, in the words of services/exports: rows, format, titles of columns.

    Empty texts and no columns leave the choice open. An export passes over titles that no longer exist.
    """

    rows: str = ""
    format: str = ""
    columns: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {"rows": self.rows, "format": self.format, "columns": list(self.columns)}

    @classmethod
    def from_json(cls, stored: object) -> Self:
        """The choice as this or an earlier version saved it; what it cannot read stays open."""
        if not isinstance(stored, dict):
            return cls()
        columns = stored.get("columns")
        return cls(
            str(stored.get("rows", "")),
            str(stored.get("format", "")),
            tuple(map(str, columns)) if isinstance(columns, list) else (),
        )


@dataclass(frozen=True, slots=True)
class ViewTeam:
    """A team that a view can be shared with."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """A view as this viewer has it. `team` is None for the author's own.

    `typed` has periods by their names alone, whose days are counted when it is searched. It is None when a later
    version of the portal saved what this one cannot read.
    """

    id: int
    name: str
    team: ViewTeam | None
    typed: SearchInput | None
    export: ExportChoice
    is_mine: bool
    may_change: bool


def with_periods(typed: SearchInput) -> SearchInput:
    """The search without the days of its named periods: "yesterday" is another day tomorrow."""
    if typed.created_period is not None:
        typed = replace(typed, created_from=None, created_to=None)
    if typed.paid_period is not None:
        typed = replace(typed, paid_from=None, paid_to=None)
    return typed
