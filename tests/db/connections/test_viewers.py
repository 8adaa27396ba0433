"""What whoever speaks to the database as the app's role can make of it: somebody with the portal's own connection."""

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from db.connections.roles import app_url, libpq_url
from db.connections.viewers import SignedIn
from services.authentication import passwords, sessions
from tests.support import factories
from tests.support.factories import document, run

PASSWORD = "correct horse 7"
HOUR = "'1 hour'"


@pytest.fixture(scope="module")
def anna(database: str) -> SignedIn:
    factories.take_in(document(order_id=1, checkout_page="shop-a"))
    return factories.account("anna", stores=["shop-a"])


@pytest.fixture
def attacker(anna: SignedIn, database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq_url(app_url(database))) as connection:
        yield connection


def scalar(connection: psycopg.Connection, statement: str, *values: object) -> Any:
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return row[0]


def sees(connection: psycopg.Connection) -> tuple[int, int | None, str | None]:
    return (
        scalar(connection, "SELECT count(*) FROM orders"),
        scalar(connection, "SELECT viewer_id()"),
        scalar(connection, "SELECT viewer_role()"),
    )


def test_the_control_a_token_makes_its_account_the_viewer(
    attacker: psycopg.Connection, anna: SignedIn
) -> None:
    assert scalar(attacker, "SELECT become(%s, '30 minutes')", anna.token) == anna
    assert sees(attacker) == (1, anna, "specialist")
    attacker.commit()
    assert sees(attacker) == (0, None, None)


@pytest.mark.parametrize(
    "said", ["{id}", "{id} 1 stands", "{id} 1 stands " + "0" * 64, "{id}:1:stands", "-1", "x", " ", "'; --"]
)
def test_saying_who_one_is_is_not_enough(attacker: psycopg.Connection, anna: SignedIn, said: str) -> None:
    attacker.execute("SELECT set_config('esupport.viewer', %s, true)", [said.format(id=int(anna))])
    assert sees(attacker) == (0, None, None)
    attacker.rollback()
    attacker.execute("SELECT set_config('esupport.viewer', %s, false)", [said.format(id=int(anna))])
    assert sees(attacker) == (0, None, None)


def test_a_proof_of_one_transaction_is_none_in_another(attacker: psycopg.Connection, anna: SignedIn) -> None:
    scalar(attacker, "SELECT become(%s, '30 minutes')", anna.token)
    proof = scalar(attacker, "SELECT current_setting('esupport.viewer')")
    attacker.execute("SELECT set_config('esupport.viewer', %s, true)", [proof])
    assert sees(attacker)[1] == anna, "the control: in this one it is"
    attacker.commit()
    attacker.execute("SELECT set_config('esupport.viewer', %s, true)", [proof])
    assert sees(attacker) == (0, None, None)
    other = proof.replace(f"{int(anna)} ", f"{int(anna) + 1} ", 1)
    scalar(attacker, "SELECT become(%s, '30 minutes')", anna.token)
    attacker.execute("SELECT set_config('esupport.viewer', %s, true)", [other])
    assert sees(attacker) == (0, None, None)


def test_what_can_be_read_of_a_session_opens_nothing(attacker: psycopg.Connection, anna: SignedIn) -> None:
    admin = factories.account("admin", role="administrator")
    scalar(attacker, "SELECT become(%s, '30 minutes')", admin.token)
    digests = [row[0] for row in attacker.execute("SELECT token_digest FROM account_session").fetchall()]
    assert hashlib.sha256(anna.token.encode()).digest() in digests, "the control: an administrator reads them"
    attacker.commit()
    for digest in digests:
        for guess in (digest.hex(), digest.decode("latin-1").replace("\0", "")):
            assert scalar(attacker, "SELECT become(%s, '30 minutes')", guess) is None
    assert sees(attacker) == (0, None, None)


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE account_session SET ended_at = now(), ended_because = 'ended' WHERE account_id = :id",
        "UPDATE account_session SET expires_at = now() WHERE account_id = :id",
        "UPDATE account_session SET last_seen_at = now() - interval '31 minutes' WHERE account_id = :id",
        "UPDATE account SET disabled_at = now() WHERE id = :id",
    ],
    ids=["ended", "expired", "idle", "disabled"],
)
def test_a_session_that_does_not_stand_sees_nothing_and_its_refusals_are_recorded(
    attacker: psycopg.Connection, anna: SignedIn, end: str
) -> None:
    leaves = factories.account(f"leaves{len(end)}", stores=["shop-a"])
    run(end, id=leaves)
    assert scalar(attacker, "SELECT become(%s, '30 minutes')", leaves.token) is None
    assert sees(attacker) == (0, None, None)
    attacker.execute("INSERT INTO audit_log (account_id, action) VALUES (%s, 'sign in')", [int(leaves)])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        attacker.execute("INSERT INTO audit_log (account_id, action) VALUES (%s, 'sign in')", [int(anna)])


def test_no_idle_time_makes_a_session_longer_than_twelve_hours(
    attacker: psycopg.Connection, anna: SignedIn
) -> None:
    leaves = factories.account("sleeps", stores=["shop-a"])
    run(
        "UPDATE account_session SET last_seen_at = now() - interval '13 hours' WHERE account_id = :id",
        id=leaves,
    )
    assert scalar(attacker, "SELECT become(%s, '500 years')", leaves.token) is None


@pytest.fixture
def with_password(anna: SignedIn) -> int:
    run(
        "UPDATE account SET password_hash = :hash, failed_sign_ins = 0, locked_until = NULL, disabled_at = NULL, "
        "totp_secret = NULL WHERE id = :id",
        hash=passwords.hash_password(PASSWORD),
        id=anna,
    )
    run("DELETE FROM sign_in_attempt")
    return int(anna)


def test_no_hash_leaves_the_database(attacker: psycopg.Connection, with_password: int) -> None:
    [[stored]] = run("SELECT password_hash FROM account WHERE id = :id", id=with_password)
    row = attacker.execute("SELECT * FROM begin_attempt('anna@test.example', 'n', NULL)").fetchone()
    assert row is not None and row[1:] == ("go", stored[:29]), "the salt and nothing else"
    for statement in ("SELECT password_hash FROM account", "SELECT account FROM account", "TABLE account"):
        attacker.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            attacker.execute(statement)


def test_no_session_without_a_password(attacker: psycopg.Connection, with_password: int) -> None:
    before = run("SELECT count(*) FROM account_session")
    opening = f"SELECT open_account_session(%s, %s, {HOUR}, NULL, NULL, NULL)"
    digest = hashlib.sha256(b"mine").digest()
    attempt = scalar(attacker, "SELECT attempt FROM begin_attempt('anna@test.example', 'n', NULL)")
    assert not scalar(attacker, opening, attempt, digest), "not judged yet"
    assert scalar(attacker, "SELECT finish_attempt(%s, %s, NULL)", attempt, "$2b$04$" + "x" * 53) is None
    assert not scalar(attacker, opening, attempt, digest), "wrong"
    assert scalar(attacker, "SELECT finish_attempt(%s, %s, NULL)", attempt, "$2b$04$" + "x" * 53) is None, (
        "once"
    )
    assert not scalar(
        attacker, f"SELECT open_account_session(gen_random_uuid(), %s, {HOUR}, NULL, NULL, NULL)", digest
    )
    scalar(attacker, "SELECT become(%s, '30 minutes')", factories.signed_in(with_password).token)
    own = scalar(attacker, "SELECT begin_own_attempt('n')")
    assert not scalar(attacker, opening, own, digest), (
        "an attempt of somebody who is signed in opens no session"
    )
    attacker.commit()
    assert run("SELECT count(*) FROM account_session")[0][0] == before[0][0] + 1, "the one that we made here"


def test_a_session_is_short_whatever_is_asked_for(attacker: psycopg.Connection, with_password: int) -> None:
    checked = sessions.check_password("anna@test.example", PASSWORD, address=None)
    assert checked is not None
    digest = hashlib.sha256(b"long").digest()
    opening = "SELECT open_account_session(%s, %s, '500 years', NULL, NULL, NULL)"
    assert scalar(attacker, opening, checked.attempt, digest)
    assert not scalar(attacker, opening, checked.attempt, hashlib.sha256(b"again").digest()), (
        "an attempt opens one"
    )
    attacker.commit()
    [[hours]] = run(
        "SELECT extract(epoch FROM expires_at - created_at) / 3600 FROM account_session WHERE token_digest = :digest",
        digest=digest,
    )
    assert hours <= 12


def test_the_apps_role_does_not_call_a_code_right(attacker: psycopg.Connection, with_password: int) -> None:
    run("UPDATE account SET totp_secret = repeat('A', 32) WHERE id = :id", id=with_password)
    checked = sessions.check_password("anna@test.example", PASSWORD, address=None)
    assert checked is not None
    opening = f"SELECT open_account_session(%s, %s, {HOUR}, NULL, NULL, NULL)"
    assert not scalar(attacker, opening, checked.attempt, hashlib.sha256(b"no factor").digest())
    for statement in (
        "SELECT * FROM second_factor_of(%s)",
        "SELECT * FROM judge_code(%s, 99999999999, sha256('x'), NULL)",
        "UPDATE sign_in_attempt SET has_factor = true WHERE id = %s",
    ):
        attacker.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            attacker.execute(statement, [checked.attempt])


def test_large_guesses_of_tokens_are_no_error(anna: SignedIn) -> None:
    for token in ("", "x", "A" * 43, "\0", "\ud800", "ü" * 40, "x" * 10_000_000):
        assert sessions.viewer_of_token(token) is None
