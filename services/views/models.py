"""A view: a search under a name, with the choices of its export."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

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
    def from_json(
        cls, stored: Mapping[str, Any]
    ) -> Self:  # Any: JSON as an earlier version may have saved it
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

    `typed` has relative periods by their names; it is None when a later version of the portal saved what this one
    cannot read.
    """

    id: int
    name: str
    team: ViewTeam | None
    typed: SearchInput | None
    export: ExportChoice
    is_mine: bool
    may_change: bool
