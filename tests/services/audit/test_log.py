"""The audit log as administrators read it."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from services.audit.log import AuditFilter, export_audit, find_actions, find_audit, record_audit_export
from services.errors import InvalidInput, NotAllowed
from tests.support import factories
from tests.support.factories import run

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def admin(database: str) -> int:
    rows = (
        ("2026-03-28T22:59:59Z", "anna@x.example", "sign in", None, True, "{}"),
        (
            "2026-03-28T23:00:00Z",
            "anna@x.example",
            "add note",
            7,
            True,
            '{"a": [1, 2], "b": {"c": null}, "d": true}',
        ),
        ("2026-03-29T21:59:59Z", "BORIS@x.example", "add note", 7, False, '{"reason": "=cmd()"}'),
        ("2026-03-29T22:00:00Z", None, "sign in", None, False, "{}"),
    )
    for at, email, action, order_id, succeeded, details in rows:
        run(
            "INSERT INTO audit_log (at, account_email, action, order_id, succeeded, details) "
            "VALUES (CAST(:at AS timestamptz), :email, :action, :order_id, :succeeded, CAST(:details AS jsonb))",
            at=at, email=email, action=action, order_id=order_id, succeeded=succeeded, details=details,
        )  # fmt: skip
    return factories.account("admin", role="administrator")


def ids(admin: int, **fields: object) -> list[int]:
    """Which of the four rows, by their place."""
    with viewer_transaction(admin) as connection:
        rows = find_audit(connection, factories.viewer(admin), AuditFilter(BERLIN, **fields))  # type: ignore[arg-type]
    [[first]] = run("SELECT min(id) FROM audit_log")
    return [row.id - first for row in rows]


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        ({}, [3, 2, 1, 0]),
        ({"account": " boris@ "}, [2]),
        ({"account": "%"}, []),
        ({"action": "add note"}, [2, 1]),
        ({"order_id": 7, "refused_only": True}, [2]),
        # The day on which clocks go forward in Berlin has 23 hours.
        ({"since": date(2026, 3, 29), "until": date(2026, 3, 29)}, [2, 1]),
        ({"since": date(2026, 3, 30)}, [3]),
        ({"until": date(2026, 3, 28)}, [0]),
    ],
)
def test_filters(fields: dict[str, Any], rows: list[int], admin: int) -> None:
    assert ids(admin, **fields) == rows


def test_pages_actions_and_words(admin: int) -> None:
    viewer = factories.viewer(admin)
    with viewer_transaction(admin) as connection:
        first = find_audit(connection, viewer, AuditFilter(BERLIN), limit=3)
        [rest] = find_audit(connection, viewer, AuditFilter(BERLIN), before=first[-1].id)
        assert find_actions(connection, viewer) == ("add note", "sign in")
    assert rest.details_text == ""
    assert first[-1].details_text == "a: 1 2, b: c=none, d: yes"


def test_days_the_wrong_way_round(admin: int) -> None:
    with pytest.raises(InvalidInput):
        ids(admin, since=date(2026, 3, 2), until=date(2026, 3, 1))


def test_the_export_runs_nothing(admin: int) -> None:
    with viewer_transaction(admin) as connection:
        pieces = list(export_audit(connection, factories.viewer(admin), AuditFilter(BERLIN)))
    text = b"".join(pieces).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == "time (UTC),account,action,order,address,succeeded,details"
    assert lines[2].startswith("2026-03-29T21:59:59Z,BORIS@x.example,add note,7,,False,")
    assert len(lines) == 5 and "=cmd" in text and not any(cell.startswith("=") for cell in text.split(","))


@pytest.mark.parametrize("role", ["specialist", "analyst", "refund_operator"])
def test_for_administrators_alone(role: str, admin: int) -> None:
    other = factories.account(role, role=role)
    viewer = factories.viewer(other)
    with viewer_transaction(other) as connection:
        for look in (
            lambda: find_audit(connection, viewer, AuditFilter(BERLIN)),
            lambda: find_actions(connection, viewer),
            lambda: next(export_audit(connection, viewer, AuditFilter(BERLIN))),
        ):
            with pytest.raises(NotAllowed):
                look()


def test_who_takes_the_log_along_stands_in_it(admin: int) -> None:
    viewer = factories.viewer(admin)
    wanted = AuditFilter(BERLIN, account="anna", since=date(2026, 3, 1))
    with viewer_transaction(admin) as connection:
        record_audit_export(connection, viewer, wanted, address="192.0.2.1")
    [row] = run("SELECT * FROM audit_log WHERE action = 'export audit log'")
    assert (row.account_id, row.address) == (admin, "192.0.2.1")
    assert row.details == {"account": "anna", "since": "2026-03-01"}
