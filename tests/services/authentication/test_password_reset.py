"""The link that sets a forgotten password: once, within an hour, and silent about who has an account."""

import re

import pytest

from services.authentication import password_reset, passwords, sessions
from services.authentication.password_reset import LinkUnusable, request_link, set_password
from services.errors import InvalidInput
from tests.support import factories
from tests.support.factories import run

NEW = "a long new one 1"


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    return factories.account("anna")


@pytest.fixture(autouse=True)
def clean(anna: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)
    run("DELETE FROM password_reset")
    run("DELETE FROM sign_in_attempt")
    run("DELETE FROM mail")
    run("UPDATE account SET disabled_at = NULL")


def token() -> str:
    [[body]] = run("SELECT text_body FROM mail ORDER BY id DESC LIMIT 1")
    match = re.search(r"\?reset=([\w-]+)", body)
    assert match
    return match[1]


def test_the_link_sets_a_password_once_and_ends_all_sessions(anna: int) -> None:
    session = factories.session(anna)
    run("UPDATE account SET locked_until = now() + interval '15 minutes', failed_sign_ins = 5")
    request_link(" ANNA@test.example ", address="192.0.2.3")
    [row] = run("SELECT * FROM mail")
    assert (row.to_address, row.kind, row.account_id) == ("anna@test.example", "password", anna)
    link = token()
    assert link not in repr(run("SELECT * FROM password_reset")) + repr(run("SELECT * FROM audit_log"))
    set_password(link, new=NEW, repeated=NEW, address=None)
    assert sessions.check_password("anna@test.example", NEW, address=None) == anna
    assert sessions.viewer_of_token(session) is None
    with pytest.raises(LinkUnusable):
        set_password(link, new="another long one", repeated="another long one", address=None)
    actions = [
        row.action for row in run("SELECT action FROM audit_log WHERE account_id = :id ORDER BY id", id=anna)
    ]
    assert actions[-2:] == ["forgot password", "reset password"]


def test_an_unfit_password_leaves_the_link_usable(anna: int) -> None:
    request_link("anna@test.example", address=None)
    link = token()
    with pytest.raises(InvalidInput):
        set_password(link, new="short", repeated="short", address=None)
    assert password_reset.is_usable(link)


def test_setting_one_spoils_the_other_links(anna: int) -> None:
    request_link("anna@test.example", address=None)
    first = token()
    request_link("anna@test.example", address=None)
    set_password(token(), new=NEW + "2", repeated=NEW + "2", address=None)
    assert not password_reset.is_usable(first)


@pytest.mark.parametrize("spoil", ["expires_at = now() - interval '1 second'", "used_at = now()"])
def test_old_and_used_links_are_worthless(spoil: str, anna: int) -> None:
    request_link("anna@test.example", address=None)
    link = token()
    run(f"UPDATE password_reset SET {spoil}")
    assert not password_reset.is_usable(link)
    with pytest.raises(LinkUnusable):
        set_password(link, new=NEW, repeated=NEW, address=None)


def test_a_disabled_account_gets_none_and_its_links_are_worthless(anna: int) -> None:
    request_link("anna@test.example", address=None)
    link = token()
    run("UPDATE account SET disabled_at = now()")
    assert not password_reset.is_usable(link)
    run("DELETE FROM mail")
    request_link("anna@test.example", address=None)
    assert run("SELECT 1 FROM mail") == []


@pytest.mark.parametrize(
    "login", ["nobody@test.example", "", "x" * 1_000_000, "a\0b@example.com", "\ud800@example.com"]
)
def test_an_unknown_login_changes_nothing_and_says_nothing(login: str, anna: int) -> None:
    assert request_link(login, address=None) is None  # type: ignore[func-returns-value]
    assert run("SELECT 1 FROM mail") == run("SELECT 1 FROM password_reset") == []
    assert run("SELECT succeeded, account_email FROM audit_log ORDER BY id DESC LIMIT 1") == [(False, None)]


def test_three_an_hour(anna: int) -> None:
    for _ in range(5):
        request_link("anna@test.example", address=None)
    assert run("SELECT count(*) FROM mail") == [(3,)]


@pytest.mark.parametrize("text", ["", "x", "\0", "ü" * 100, "\ud800"])
def test_what_is_no_link(text: str, anna: int) -> None:
    assert not password_reset.is_usable(text)
