"""An account that is disabled in the middle of what it does: one sentence, whatever the statement was."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event, text

from db.connections.engine import app_engine, viewer_transaction
from services.access import Role, Viewer
from services.actions import ActionRequest, ActionResult, action, perform
from services.errors import AccountUnusable, NotAllowed, SupportError
from tests.support import factories
from tests.support.factories import run
from tests.system.permission_rules import RULES
from tests.system.test_permissions import FUNCTIONS, Undone, decided_by, people, requests, taken_by, target

__all__ = ["people", "requests", "target"]
_MOST_STATEMENTS = 60
OWN = 1


@pytest.mark.usefixtures("requests")
@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items()
                                  if name in RULES and hasattr(function, "audit_action")])  # fmt: skip
def test_disabled_before_any_of_its_statements(
    name: str,
    people: dict[Role, int],
    target: dict[int, dict[str, int]],
) -> None:
    asks = factories.viewer(people[Role.ADMINISTRATOR])
    if not run("SELECT 1 FROM account WHERE name = 'spare'"):  # the last administrator cannot be disabled
        factories.account("spare", role="administrator")
    if name.startswith("refunds.approval."):
        taken_by(target[OWN]["second"])
        decided_by(asks.account_id if name.endswith("withdraw_decision") else target[OWN]["second"])
    elif name not in ("refunds.processing.take_request", "refunds.taking.take_next"):
        taken_by(asks.account_id)
    if name == "refunds.requests.request_refund":
        run("DELETE FROM refund_request")
    arguments, named = RULES[name].arguments(target[OWN])

    @action(FUNCTIONS[name].audit_action)  # type: ignore[attr-defined]
    def work(connection: Connection, viewer: Viewer) -> ActionResult:
        FUNCTIONS[name](connection, viewer, *arguments, **named)
        raise Undone

    before, disabled = factories.everything(), []
    for number in range(1, _MOST_STATEMENTS):
        try:
            with disabling(asks.account_id, before_statement=number) as disabled:
                perform(asks, ActionRequest(key=uuid4(), address=None), work)
        except SupportError as error:
            assert isinstance(error, AccountUnusable), (number, error)
            assert disabled
        except Undone:
            assert not disabled, "it was carried out to the end"
            break
    assert 3 < number < _MOST_STATEMENTS - 1
    assert factories.everything() == before


@contextmanager
def disabling(account_id: int, *, before_statement: int) -> Iterator[list[int]]:
    """Disables the account just before the nth statement of the app's role; what it yields is filled then."""
    seen, done = itertools.count(1), []

    def count(*_: Any) -> None:
        if next(seen) == before_statement:
            run("UPDATE account SET disabled_at = now() WHERE id = :id", id=account_id)
            done.append(before_statement)

    event.listen(app_engine(), "before_cursor_execute", count)
    try:
        yield done
    finally:
        event.remove(app_engine(), "before_cursor_execute", count)
        run("UPDATE account SET disabled_at = NULL WHERE id = :id", id=account_id)


def test_a_right_that_the_database_refuses_is_a_sentence_and_a_line_in_the_log(
    people: dict[Role, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        pytest.raises(NotAllowed, match="Your account may not do this"),
        viewer_transaction(people[Role.SPECIALIST]) as connection,
    ):
        connection.execute(text("DELETE FROM orders"))
    assert "permission denied" in caplog.text


def test_other_errors_stay_what_they_are(people: dict[Role, int]) -> None:
    with pytest.raises(ZeroDivisionError), viewer_transaction(people[Role.SPECIALIST]):
        raise ZeroDivisionError
