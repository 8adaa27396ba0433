"""Who may do what is written in Python and in the database: the two agree, role by role."""

import re
from collections.abc import Callable
from typing import Final

import pytest
from sqlalchemy import text

from db.connections.engine import jobs_transaction, viewer_transaction
from db.schema.roles_of_accounts import COMPUTED_SESSION_ENDS, Role, SessionEnd
from services.access import Permission, Viewer, get_viewer, require_administrator
from services.errors import NotAllowed
from tests.support import factories

pytestmark = pytest.mark.usefixtures("database")

# What the policies ask for each permission.
ASKED: Final = {
    Permission.ACT: "viewer_may_act()",
    Permission.WORK_REFUND_QUEUE: "viewer_may_work_refunds()",
    Permission.ADMINISTER: "coalesce(viewer_role() = 'administrator', false)",
}
PROPERTIES: Final[dict[Permission, Callable[[Viewer], bool]]] = {
    Permission.ACT: lambda viewer: viewer.may_act,
    Permission.WORK_REFUND_QUEUE: lambda viewer: viewer.may_work_refund_queue,
    Permission.ADMINISTER: lambda viewer: viewer.may_administer,
}


def test_each_permission_is_compared() -> None:
    assert set(ASKED) == set(PROPERTIES) == set(Permission)


@pytest.mark.parametrize("role", Role)
def test_python_and_the_database_give_a_role_the_same_permissions(role: Role) -> None:
    account = factories.account(f"compared {role}".replace(" ", "-"), role=role)
    with viewer_transaction(account) as connection:
        viewer = get_viewer(connection, account)
        for permission, question in ASKED.items():
            allowed = connection.execute(text(f"SELECT {question}")).scalar_one()
            assert allowed is (role in permission.roles), permission
            assert PROPERTIES[permission](viewer) is allowed, permission
            if not allowed:
                with pytest.raises(NotAllowed, match=re.escape(permission.refusal)):
                    permission.require(viewer.role)
        if role is not Role.ADMINISTRATOR:
            with pytest.raises(NotAllowed, match="Only administrators can do this"):
                require_administrator(viewer)


def test_policies_name_no_role_but_administrator() -> None:
    """Every other rule about roles is one of the functions compared above."""
    with jobs_transaction() as connection:
        rules = connection.execute(
            text("SELECT concat_ws(' ', qual, with_check) FROM pg_policies WHERE schemaname = 'public'")
        ).scalars()
        named = {role for rule in rules for role in Role if f"'{role}'" in rule}
    assert named == {Role.ADMINISTRATOR}


def _words_of_checks(table: str, column: str) -> set[str]:
    with jobs_transaction() as connection:
        checks = connection.execute(
            text(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' "
                "AND conrelid = CAST(:table AS regclass)"
            ),
            {"table": table},
        ).scalars()
        (check,) = (check for check in checks if re.match(rf"CHECK \(\({column} = ANY ", check))
    return set(re.findall(r"'([^']*)'", check))


@pytest.mark.parametrize("table", ["account", "role_rule"])
def test_roles_are_those_that_the_table_accepts(table: str) -> None:
    assert _words_of_checks(table, "role") == set(Role)


def test_session_ends_are_those_that_the_table_accepts() -> None:
    assert _words_of_checks("account_session", "ended_because") == set(SessionEnd) - COMPUTED_SESSION_ENDS
