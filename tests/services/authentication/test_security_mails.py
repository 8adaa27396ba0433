"""Mails about changed credentials: one for each change, to the owner alone, without a secret, or the change is none."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from db.connections.engine import anonymous_transaction, viewer_transaction
from services.accounts import profile, sign_in_methods
from services.actions import ActionRequest, perform
from services.authentication import password_reset, passwords, second_factor, sessions
from services.authentication.passwords import hash_password
from services.authentication.security_mails import Change
from services.delivery.mail_rounds import send_due
from services.errors import InvalidInput
from services.mail import outbox
from tests.support import factories
from tests.support.factories import run
from tests.support.mail_server import mail_server

PASSWORD = "demo-Portal-1"
NEW = "a long new one 1"
LOGIN = "anna@test.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
FROM = {"address": "192.0.2.5", "browser": FIREFOX}


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    return {"anna": factories.account("anna"), "admin": factories.account("admin", role="administrator")}


@pytest.fixture(autouse=True)
def fresh(people: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "COST", 4)
    run(
        "UPDATE account SET totp_secret = NULL, totp_last_step = NULL, failed_sign_ins = 0, locked_until = NULL, "
        "time_zone = NULL, must_change_password = false, password_hash = :hash",
        hash=hash_password(PASSWORD),
    )
    run("UPDATE account_session SET ended_at = NULL, ended_because = NULL")
    for table in ("mail", "password_reset", "recovery_code", "sign_in_attempt"):
        run(f"DELETE FROM {table}")
    yield
    assert run("SELECT 1 FROM mail WHERE kind = 'credentials' AND to_address <> :login", login=LOGIN) == []


def told() -> list[Any]:
    """The messages about credentials, oldest first."""
    return list(run("SELECT * FROM mail WHERE kind = 'credentials' ORDER BY id"))


def changes() -> list[str]:
    return [row.subject.removeprefix("Your account at the ESupport portal: ") for row in told()]


def change_password(anna: int, **fields: Any) -> None:
    values: dict[str, Any] = {"new": NEW, "repeated": NEW, "current": PASSWORD} | FROM
    profile.change_own_password(factories.viewer(anna), **values | fields)


def enrol(anna: int) -> tuple[str, tuple[str, ...]]:
    """The secret and the recovery codes, once the mail about them is out of the way."""
    enrolment = second_factor.begin(factories.viewer(anna))
    secret = enrolment.secret
    codes = second_factor.confirm(
        factories.viewer(anna), enrolment, code(secret, -1), password=PASSWORD, **FROM
    )
    assert changes() == [Change.FACTOR_ON]
    run("DELETE FROM mail")
    return secret, codes


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def fits(anna: int, typed: str) -> bool:
    return second_factor.check(factories.attempt(anna), typed, **FROM)


def test_a_password_changed_by_its_owner(people: dict[str, int]) -> None:
    change_password(people["anna"])
    [row] = told()
    assert (row.to_address, row.to_name, row.account_id) == (LOGIN, "anna", people["anna"])
    assert row.subject == "Your account at the ESupport portal: password changed"
    for part in (row.text_body, row.html_body):
        for sentence in (
            "The password of your account",
            LOGIN,
            "(UTC)",
            "192.0.2.5",
            "Firefox on Linux",
            "tell an administrator",
        ):
            assert sentence in part
        assert PASSWORD not in part and NEW not in part


def test_a_refused_change_tells_nobody(people: dict[str, int]) -> None:
    for refused in ({"current": "a wrong guess"}, {"repeated": "another one 12"}, {"new": "short"}):
        with pytest.raises(InvalidInput):
            change_password(people["anna"], **refused)
    assert told() == []


def test_no_change_without_its_mail(people: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(outbox.SUBJECTS, "credentials", "{no such word}")
    with pytest.raises(KeyError):
        change_password(people["anna"])
    assert sessions.check_password(LOGIN, PASSWORD, address=None) == people["anna"]
    with pytest.raises(KeyError):
        enrol(people["anna"])
    assert not run("SELECT has_second_factor FROM account WHERE id = :id", id=people["anna"])[0][0]


def test_a_password_set_through_a_link(people: dict[str, int]) -> None:
    password_reset.request_link(LOGIN, address=None)
    [[body]] = run("SELECT text_body FROM mail WHERE kind = 'password'")
    token = body.split("?reset=")[1].split()[0]
    password_reset.set_password(token, new=NEW, repeated=NEW, **FROM)
    assert changes() == [Change.PASSWORD_BY_LINK]
    assert token not in told()[0].text_body and "192.0.2.5" in told()[0].text_body
    with pytest.raises(password_reset.LinkUnusable):
        password_reset.set_password(token, new=NEW, repeated=NEW, **FROM)
    assert len(told()) == 1


def test_a_second_factor_set_up_and_switched_off(people: dict[str, int]) -> None:
    secret, codes = enrol(people["anna"])
    with pytest.raises(InvalidInput):
        second_factor.remove(factories.viewer(people["anna"]), "wrong", **FROM)
    assert told() == []
    second_factor.remove(factories.viewer(people["anna"]), PASSWORD, **FROM)
    assert changes() == [Change.FACTOR_OFF]
    assert secret not in repr(told()) and not any(code in repr(told()) for code in codes)


def test_a_second_factor_reset_by_an_administrator(people: dict[str, int]) -> None:
    enrol(people["anna"])
    admin = factories.viewer(people["admin"])
    request = ActionRequest(key=uuid4(), address="198.51.100.7")
    perform(admin, request, sign_in_methods.reset_second_factor, people["anna"])
    assert changes() == [Change.FACTOR_RESET]
    assert "198.51.100.7" not in told()[0].text_body, "the administrator's address is nobody's business"


def test_recovery_codes_count_down_to_none(people: dict[str, int]) -> None:
    _, codes = enrol(people["anna"])
    for code in codes:
        assert fits(people["anna"], code)
    assert changes() == [Change.RECOVERY_CODE] * 10
    bodies = [row.text_body for row in told()]
    assert "9 are left" in bodies[0] and "1 is left" in bodies[8] and "None is left" in bodies[9]
    assert not any(code in repr(told()) for code in codes)
    assert not fits(people["anna"], codes[0])
    assert len(told()) == 10, "a used one is a wrong one"


def test_a_code_that_comes_twice_is_recorded_and_told(people: dict[str, int]) -> None:
    secret, _ = enrol(people["anna"])
    now = code(secret)
    assert fits(people["anna"], now) and told() == []
    assert not fits(people["anna"], now)
    assert changes() == [Change.CODE_REPEATED]
    assert now not in told()[0].text_body
    [row] = run("SELECT * FROM audit_log WHERE action = 'repeat code'")
    assert (row.account_id, row.succeeded, row.address) == (people["anna"], False, "192.0.2.5")
    # Five lock the account, and nothing more is told or used up while it is.
    for _ in range(10):
        assert not fits(people["anna"], now)
    assert len(told()) == 5


def test_wrong_codes_are_no_news(people: dict[str, int]) -> None:
    secret, _ = enrol(people["anna"])
    for typed in ("000000", code(secret, 5), "aaaaa-aaaaa", ""):
        assert not fits(people["anna"], typed)
    assert told() == []


def test_nothing_counts_while_the_account_is_locked(people: dict[str, int]) -> None:
    secret, codes = enrol(people["anna"])
    run("UPDATE account SET locked_until = now() + interval '1 minute'")
    assert not fits(people["anna"], code(secret)) and not fits(people["anna"], codes[0])
    run("UPDATE account SET locked_until = NULL, failed_sign_ins = 0")
    assert fits(people["anna"], code(secret)) and fits(people["anna"], codes[0])


@pytest.mark.parametrize(
    ("zone", "local_time"),
    [("Asia/Kolkata", "(Asia/Kolkata)"), (None, "(UTC)"), ("Mars/Olympus", "(UTC)")],
)
def test_the_time_is_that_of_the_account(zone: str | None, local_time: str, people: dict[str, int]) -> None:
    run("UPDATE account SET time_zone = :zone", zone=zone)
    change_password(people["anna"])
    [row] = told()
    [[at]] = run(
        "SELECT to_char(created_at AT TIME ZONE :zone, 'FMDD Mon YYYY, HH24:MI') FROM mail",
        zone=zone if zone == "Asia/Kolkata" else "UTC",
    )
    # The minute may turn between the two clocks.
    assert f"{at[:-2]}" in row.text_body and local_time in row.text_body


def test_what_a_proxy_says_is_told_only_when_it_is_an_address(people: dict[str, int]) -> None:
    change_password(people["anna"], address="evil.example/<b>", browser="<img src=x> http://evil.example")
    [row] = told()
    assert "evil" not in row.text_body + row.html_body
    assert "Address:" not in row.text_body and "Browser: A browser" in row.text_body


def test_the_door_opens_only_for_a_change(people: dict[str, int]) -> None:
    door = text("SELECT announce_credentials(:account, '<x@x>', 's', 't', 'h')")
    with pytest.raises(ProgrammingError, match="nothing has changed"), anonymous_transaction() as connection:
        connection.execute(door, {"account": people["anna"]})
    # What changed a moment ago, in another transaction, opens it no more.
    change_password(people["anna"])
    with (
        factories.refused_by_the_database(),
        viewer_transaction(people["anna"]) as connection,
    ):
        connection.execute(door, {"account": people["anna"]})
    with anonymous_transaction() as connection:
        owner = text("SELECT * FROM credentials_owner(:account)")
        assert connection.execute(owner, {"account": people["anna"]}).all() == []
    assert len(told()) == 1


def test_it_is_sent_and_its_text_stays_in_the_log(people: dict[str, int]) -> None:
    change_password(people["anna"])
    with mail_server() as server:
        assert str(send_due(server.url, "portal@shop.example")) == "1 sent, 0 put off, 0 failed"
        [got] = server.accepted
    assert got.recipients == [LOGIN] and "Firefox on Linux" in got.text and "Firefox on Linux" in got.html
    assert "Firefox on Linux" in told()[0].text_body


def test_without_passwords_nobody_is_told_to_change_one(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESUPPORT_PASSWORDS", "0")
    monkeypatch.setenv("OIDC_ISSUER", "https://login.example.com")
    monkeypatch.setenv("OIDC_CLIENT_ID", "x")
    monkeypatch.setenv("OIDC_CLIENT_SECRET", "y")
    run("UPDATE account_session SET single_sign_on = true WHERE account_id = :id", id=people["anna"])
    enrolment = second_factor.begin(factories.viewer(people["anna"]))
    second_factor.confirm(
        factories.viewer(people["anna"]), enrolment, code(enrolment.secret), password=None, **FROM
    )
    [row] = told()
    assert "tell an administrator at once" in row.text_body and "password" not in row.text_body
