"""The acting account (the viewer): what it may see, and what its role may do."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from sqlalchemy import Connection, bindparam, select, text

from db.schema.account_tables import account, role_rule
from db.schema.order_tables import checkout_page
from db.schema.roles_of_accounts import Role as Role
from services.errors import AccountUnusable, NotAllowed


class Permission(Enum):
    """A permission that only some roles have: `roles` have it, `refusal` is the sentence for the others.

    The database holds the same rules in its policies; `tests/services/test_access.py` compares the two.
    """

    ACT = (
        frozenset({Role.SPECIALIST, Role.REFUND_OPERATOR, Role.ADMINISTRATOR}),
        "Your account may look at orders, but not change them.",
    )
    WORK_REFUND_QUEUE = (
        frozenset({Role.REFUND_OPERATOR, Role.ADMINISTRATOR}),
        "Only refund operators and administrators work on the refund queue.",
    )
    ADMINISTER = (frozenset({Role.ADMINISTRATOR}), "Only administrators can do this.")

    def __init__(self, roles: frozenset[Role], refusal: str) -> None:
        self.roles = roles
        self.refusal = refusal

    def require(self, role: Role) -> None:
        """Raise `NotAllowed` with the refusal unless the role has the permission."""
        if role not in self.roles:
            raise NotAllowed(self.refusal)


@dataclass(frozen=True, slots=True)
class Store:
    """A store (a checkout page): `name` is its technical name, `title` its name for people, if it has one."""

    id: int
    name: str
    title: str | None


class Author(Protocol):
    """The account that a change is recorded under: the viewer, or the account that decided on it some time ago.

    `account_id` is None for an account that no longer exists.
    """

    @property
    def account_id(self) -> int | None: ...

    @property
    def email(self) -> str: ...

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RecordedAuthor:
    """An account as it was when it decided; it may be disabled or gone since."""

    account_id: int | None
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in account. `stores` are those it may see, sorted by name; `time_zone` is its own choice, if any.

    `account_id` contains the session's token (`db.connections.viewers.SignedIn`), which opens the viewer's
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
        """The IDs of the stores."""
        return tuple(store.id for store in self.stores)

    @property
    def may_enter(self) -> bool:
        """Whether the account's own password and its second factor, where required, are set up."""
        return not (self.must_change_password or self.needs_second_factor)

    @property
    def may_act(self) -> bool:
        """Analysts read and export; every other role also acts on orders."""
        return self.role in Permission.ACT.roles

    @property
    def may_work_refund_queue(self) -> bool:
        """Refund operators and administrators process refund requests."""
        return self.role in Permission.WORK_REFUND_QUEUE.roles

    @property
    def may_administer(self) -> bool:
        """Administrators change accounts, teams, stores and rules."""
        return self.role in Permission.ADMINISTER.roles


def require_administrator(viewer: Viewer) -> None:
    """Raise `NotAllowed` unless the viewer is an administrator."""
    Permission.ADMINISTER.require(viewer.role)


# Built once: both run at every click.
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
_STORES: Final = select(checkout_page.c.id, checkout_page.c.name, checkout_page.c.title).order_by(
    checkout_page.c.name
)


def get_viewer(connection: Connection, account_id: int) -> Viewer:
    """The viewer of an account, with the stores that row-level security shows it.

    `connection` must be that account's own transaction (`db.connections.engine.viewer_transaction`). Raises
    `AccountUnusable`, a `NotAllowed`, when the account is disabled or gone.
    """
    row = connection.execute(_ACCOUNT, {"id": account_id}).one_or_none()
    if row is None:
        raise AccountUnusable
    stores = connection.execute(_STORES)
    return Viewer(
        account_id=account_id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        time_zone=row.time_zone,
        must_change_password=row.must_change_password,
        needs_second_factor=row.needs_second_factor,
        stores=tuple(Store(store.id, store.name, store.title) for store in stores),
    )
