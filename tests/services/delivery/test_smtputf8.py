"""Letters outside ASCII before the @: what the page promises is what the worker does."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db.connections.engine import anonymous_transaction, viewer_transaction
from services.access import Role
from services.accounts.administration import Grants, create_account, reset_password
from services.accounts.csv_import import preview_accounts
from services.delivery.mail_rounds import look_at, send_due
from services.errors import Conflict, InvalidInput
from services.mail.addresses import NO_UTF8, UTF8_UNKNOWN
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import LicenceNotSent, resend_licence, why_not_sent
from services.orders.detail import get_order
from tests.services.mail.support import SENDER, send, states
from tests.support import factories
from tests.support.factories import act, document, history, item, mails, run
from tests.support.mail_server import MailServer, mail_server

PROJECT = Path(__file__).resolve().parents[3]
PERSON = "пример@test.example"
GRANTS = Grants(Role.ANALYST)


@pytest.fixture
def plain(people: dict[str, int]) -> Iterator[MailServer]:
    """A server without SMTPUTF8, and nothing known yet."""
    run("DELETE FROM mail")
    run("DELETE FROM mail_server")
    with mail_server(utf8=False) as server:
        yield server


def look(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker does at its start."""
    monkeypatch.setenv("SMTP_URL", server.url)
    assert look_at(server.url, SENDER)


def promised(people: dict[str, int]) -> list[str | None]:
    """The sentence against it, or None, of each place where somebody asks for a mail to such an address."""
    imported = document(customer={"email": PERSON}, items=[item(activation_codes=[{"code": "X"}])])
    factories.take_in(imported)
    order_id = imported["order_id"]
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
    anna, admin = factories.viewer(people["anna"]), factories.viewer(people["admin"])
    with viewer_transaction(people["anna"]) as connection:
        order = get_order(connection, anna, order_id)
    answers = [
        why_not_sent(
            status=order.status, delivery_allowed=order.delivery_allowed, customer_erased=order.customer_erased,
            email=order.email, utf8=order.utf8,
        )
    ]  # fmt: skip
    try:
        act(people["anna"], resend_licence, order_id, code_id=code_id)
        answers.append(None)
    except LicenceNotSent as error:
        answers.append(str(error))
    try:
        act(people["anna"], correct_email, order_id, email=f"другой-{PERSON}", expected=PERSON)
        answers.append(None)
    except InvalidInput as error:
        assert error.field == "email"
        answers.append(str(error))
    run("DELETE FROM account WHERE email = :email", email=PERSON)
    with viewer_transaction(people["admin"]) as connection:
        [row] = preview_accounts(connection, admin, f"email,name,role\n{PERSON},P,analyst\n".encode())
    answers.append(row.problem)
    try:
        with viewer_transaction(people["admin"]) as connection:
            create_account(connection, admin, email=PERSON, name="P", grants=GRANTS)
        answers.append(None)
    except InvalidInput as error:
        answers.append(str(error))
    run("DELETE FROM account WHERE email = :email", email=PERSON)
    [[account_id]] = run(
        "INSERT INTO account (email, name, role, password_hash, must_change_password, all_stores) "
        "VALUES (:email, 'P', 'analyst', '-', false, false) RETURNING id",
        email=PERSON,
    )
    try:
        act(people["admin"], reset_password, account_id)
        answers.append(None)
    except Conflict as error:
        answers.append(str(error))
    return answers


def test_a_server_that_does_not_take_them(
    people: dict[str, int], plain: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(plain, monkeypatch)
    assert promised(people) == [NO_UTF8] * 6
    assert states() == {}


def test_a_server_that_takes_them(
    people: dict[str, int], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(server, monkeypatch)
    assert promised(people) == [None] * 6
    run("UPDATE mail SET to_address = :to WHERE kind = 'licence'", to=PERSON)
    run("UPDATE orders SET email = :to WHERE email LIKE '%' || :to", to=PERSON)
    assert send(server) == "3 sent, 0 put off, 0 failed"
    assert {address for got in server.accepted for address in got.recipients} == {PERSON}
    assert all(PERSON.encode() in got.content for got in server.accepted)


def test_while_nothing_is_known_of_the_server(
    people: dict[str, int], plain: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", plain.url)
    assert promised(people) == [UTF8_UNKNOWN] * 6
    with mail_server() as other:  # what another one offers says nothing
        look(other, monkeypatch)
        monkeypatch.setenv("SMTP_URL", plain.url)
        assert promised(people) == [UTF8_UNKNOWN] * 6


def test_without_a_server_the_mail_log_takes_all(people: dict[str, int], plain: MailServer) -> None:
    assert promised(people) == [None] * 6


def test_a_server_that_takes_them_no_more_fails_the_message_with_the_same_sentence(
    people: dict[str, int], plain: MailServer
) -> None:
    order = document(customer={"email": PERSON}, items=[item(activation_codes=[{"code": "X"}])])
    factories.take_in(order)
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order["order_id"])
    act(people["anna"], resend_licence, order["order_id"], code_id=code_id)
    assert str(send_due(plain.url, SENDER)) == "0 sent, 0 put off, 1 failed"
    [row] = mails(order["order_id"])
    assert row.last_error == NO_UTF8
    assert history(order["order_id"]) == [f"Licence e-mail to {PERSON} failed. {NO_UTF8}"]


def test_a_domain_in_any_script_needs_no_such_server(people: dict[str, int], plain: MailServer) -> None:
    """Not even one that offers nothing: and it is that domain, not the one that IDNA 2003 made of it."""
    run(
        "INSERT INTO mail (message_id, kind, to_address, subject, text_body) "
        "VALUES ('<1@x>', 'refund', 'kontakt@straße.example', 's', 't')"
    )
    assert str(send_due(plain.url, SENDER)) == "1 sent, 0 put off, 0 failed"
    [got] = plain.accepted
    assert got.recipients == ["kontakt@xn--strae-oqa.example"]
    assert got.message["To"] == "kontakt@xn--strae-oqa.example"
    assert got.content.isascii()


def test_a_worker_finds_out_at_its_start(people: dict[str, int], plain: MailServer, database: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "services.mail"],
        cwd=PROJECT,
        env=os.environ | {"SMTP_URL": plain.url},
    )
    try:
        deadline = time.monotonic() + 30
        while (
            not (rows := run("SELECT takes_utf8, seen_at FROM mail_server")) and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        assert [row.takes_utf8 for row in rows] == [False]
    finally:
        process.kill()
        process.wait()


def test_only_who_is_signed_in_sees_what_is_known(people: dict[str, int], server: MailServer) -> None:
    send(server)
    with anonymous_transaction() as connection:
        assert connection.execute(text("SELECT 1 FROM mail_server")).all() == []
