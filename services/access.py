"""Who is looking, and what they may see and do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, bindparam, select, text

from db.schema.tables import account, checkout_page, role_rule
from services.errors import AccountUnusable, NotAllowed


class Role(StrEnum):
    SPECIALIST = "specialist"
    ANALYST = "analyst"
    REFUND_OPERATOR = "refund_operator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Store:
    """A checkout page: `name` is its technical name, `title` what people call it, if anything."""

    id: int
    name: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """An account that is signed in. `stores` are those it may see, by name; `time_zone` is its own choice, if any.

    `account_id` carries the session's token along (`db.connections.viewers.SignedIn`): it opens the viewer's
    transactions.
    """

    account_id: int
    email: str
    name: str
    role: Role
    time_zone: str | None
    must_change_password: bool
    needs_second_factor: bool
    stores: tuple[Store, ...]

    @property
    def store_ids(self) -> tuple[int, ...]:
        """The ids of the stores."""
        return tuple(store.id for store in self.stores)

    @property
    def may_enter(self) -> bool:
        """Whether there is nothing left to set up first: a password of one's own, a second factor."""
        return not (self.must_change_password or self.needs_second_factor)

    @property
    def may_act(self) -> bool:
        """Analysts read and export; everybody else also acts on orders."""
        return self.role is not Role.ANALYST

    @property
    def may_work_refund_queue(self) -> bool:
        return self.role in (Role.REFUND_OPERATOR, Role.ADMINISTRATOR)

    @property
    def may_administer(self) -> bool:
        return self.role is Role.ADMINISTRATOR


def require_administrator(viewer: Viewer) -> None:
    """Raise `NotAllowed` unless the viewer is an administrator."""
    if not viewer.may_administer:
        raise NotAllowed("Only administrators can do this.")


# Made once: both are asked at every click.
_ACCOUNT: Final = (
    select(
        account.c.id,
        account.c.email,
        account.c.name,
        account.c.role,
        account.c.time_zone,
        account.c.must_change_password,
        (role_rule.c.second_factor_required & ~account.c.has_second_factor).label("needs_second_factor"),
    )
    .join(role_rule, role_rule.c.role == account.c.role)
    .where(account.c.id == bindparam("id"), account.c.id == text("(SELECT viewer_id())"))
)
_PAGES: Final = select(checkout_page.c.id, checkout_page.c.name, checkout_page.c.title).order_by(
    checkout_page.c.name
)


def get_viewer(connection: Connection, account_id: int) -> Viewer:
    """The viewer behind an account, with the stores that row-level security shows it.

    `connection` must be that account's own transaction (`db.connections.engine.viewer_transaction`). Raises
    `NotAllowed` when
    the account is disabled or gone.
    """
    row = connection.execute(_ACCOUNT, {"id": account_id}).one_or_none()
    if row is None:
        raise AccountUnusable
    pages = connection.execute(_PAGES)
    return Viewer(
        account_id=account_id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        time_zone=row.time_zone,
        must_change_password=row.must_change_password,
        needs_second_factor=row.needs_second_factor,
        stores=tuple(Store(*page) for page in pages),
    )
