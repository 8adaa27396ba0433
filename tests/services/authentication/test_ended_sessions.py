"""Why a session ended, for whoever holds its token."""

import pytest

from services.authentication.ended_sessions import find_ended_session
from tests.support import factories
from tests.support.factories import run


@pytest.fixture(scope="module")
def account_id(database: str) -> int:
    factories.account("spare", role="administrator")
    return factories.account("anna")


def test_nothing_is_said_of_a_session_that_stands_or_never_was(account_id: int) -> None:
    assert find_ended_session(factories.session(account_id)) is None
    for token in ("", "x", "\0", "é", "\ud800", "x" * 5000):
        assert find_ended_session(token) is None


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("ended_at = now(), ended_because = 'signed out'", "You signed out in another tab"),
        ("ended_at = now(), ended_because = 'password changed'", "password of your account was changed"),
        ("ended_at = now(), ended_because = 'reset'", "administrator reset the password"),
        ("ended_at = now(), ended_because = 'role changed'", "changed the role"),
        ("ended_at = now(), ended_because = 'ended'", "signed out from another browser"),
        ("expires_at = now()", "its time was over"),
    ],
)
def test_each_end_has_its_sentence(account_id: int, statement: str, sentence: str) -> None:
    token = factories.session(account_id)
    run(f"UPDATE account_session SET {statement} WHERE ended_at IS NULL")
    ended = find_ended_session(token)
    assert ended is not None and ended.account_id == account_id
    assert sentence in ended.sentence


def test_a_disabled_account(database: str) -> None:
    other = factories.account("ben")
    token = factories.session(other)
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=other)
    ended = find_ended_session(token)
    assert ended is not None and "was disabled" in ended.sentence
