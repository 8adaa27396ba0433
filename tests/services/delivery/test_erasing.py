"""Erasure, and those who act, beside a worker that is sending: nobody waits in a circle, and what arrived is *sent*."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.connections.engine import jobs_transaction, owner_engine, viewer_transaction
from services.actions import ActionRequest, perform
from services.delivery.log import send_again
from services.delivery.mail_rounds import send_due
from services.delivery.records import TAKEN_BACK
from services.errors import Conflict, SupportError
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.privacy.erasure import erase_personal_data, preview_erasure
from services.refunds.requests import request_refund
from tests.services.mail.support import SENDER, due_now, resent, send
from tests.support import factories
from tests.support.factories import act, document, history, item, mails, run
from tests.support.mail_server import MailServer

EMAIL = "ines@example.com"


def erase(people: dict[str, int], email: str = EMAIL) -> str:
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        expected = preview_erasure(connection, admin, email=email).parts
    request = ActionRequest(key=uuid4(), address=None)
    return perform(admin, request, erase_personal_data, email=email, expected=expected)


@pytest.fixture(autouse=True)
def nobody_else(server: MailServer) -> None:
    run("UPDATE orders SET email = NULL WHERE email = :email", email=EMAIL)


# One message, erased at each point of its way


def test_one_that_waits_is_taken_back(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    erase(people)
    [row] = mails(order_id)
    assert (row.state, row.to_address, row.last_error) == ("failed", None, TAKEN_BACK)
    assert send(server) == "0 sent, 0 put off, 0 failed"
    with pytest.raises(Conflict, match="deleted"):
        act(people["admin"], send_again, row.id)


@pytest.mark.parametrize("moment", ["on_mail", "on_rcpt"])
def test_until_it_is_handed_over_it_is_taken_back_and_the_next_one_goes(
    moment: str, people: dict[str, int], server: MailServer
) -> None:
    order_id, other = resent(people), resent(people, customer={"email": "other@example.com"})
    asked: list[str] = []

    def meanwhile(address: str) -> None:
        if not asked:
            asked.append(erase(people))

    setattr(server, moment, meanwhile)
    assert send(server) == "1 sent, 0 put off, 0 failed"
    assert asked and [got.recipients for got in server.accepted] == [["other@example.com"]]
    [row] = mails(order_id)
    assert (row.state, row.to_address, row.last_error) == ("failed", None, TAKEN_BACK)
    assert mails(other)[0].state == "sent"


def while_handed_over(people: dict[str, int], server: MailServer, answer: str | None) -> tuple[int, Any]:
    """The order and its mail's row, of a message whose person is erased while the server has it."""
    order_id = resent(people)

    def meanwhile(_: bytes) -> str | None:
        erase(people)
        [row] = mails(order_id)
        assert (row.state, row.to_address) == ("queued", None)
        assert row.last_error.startswith("The customer's data was deleted while")
        return answer

    server.on_data = meanwhile
    send(server)
    [row] = mails(order_id)
    assert EMAIL not in str(row) and EMAIL not in str(history(order_id))
    assert run("SELECT 1 FROM mail_handover") == []
    return order_id, row


def test_what_arrived_is_recorded_as_sent(people: dict[str, int], server: MailServer) -> None:
    order_id, row = while_handed_over(people, server, None)
    assert (row.state, row.to_address, row.last_error) == ("sent", None, None)
    assert len(server.to(EMAIL)) == 1
    assert history(order_id)[-1] == "Licence e-mail has been sent to deleted (item 1, code 1)"


def test_what_was_refused_is_recorded_without_the_address(people: dict[str, int], server: MailServer) -> None:
    order_id, row = while_handed_over(people, server, f"550 5.1.1 <{EMAIL}> unknown")
    assert (row.state, row.last_error) == ("failed", "The mail server refused it.")
    assert history(order_id)[-1] == "Licence e-mail to deleted failed. The mail server refused it."


@pytest.mark.parametrize(
    "answer", [f"451 4.2.1 <{EMAIL}> later", "421 closing", f"554 relay denied for {EMAIL}"]
)
def test_what_was_put_off_is_taken_back(answer: str, people: dict[str, int], server: MailServer) -> None:
    _, row = while_handed_over(people, server, answer)
    assert (row.state, row.last_error) == ("failed", TAKEN_BACK)


def test_the_next_worker_reports_what_a_dead_one_left(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    run("INSERT INTO mail_handover SELECT id FROM mail")
    erase(people)
    assert mails(order_id)[0].state == "queued"
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert "may or may not have arrived" in mails(order_id)[0].last_error


# The database is in the way


def test_a_lost_connection_does_not_lose_what_arrived(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)

    def cut(_: bytes) -> None:
        with owner_engine().begin() as connection:
            killed = connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
                )
            ).all()
        assert killed

    server.on_data = cut
    assert send(server) == "1 sent, 0 put off, 0 failed"
    assert mails(order_id)[0].state == "sent"
    assert history(order_id) == [f"Licence e-mail has been sent to {EMAIL} (item 1, code 1)"]


@pytest.mark.parametrize("answer", [None, "550 no"])
def test_an_order_that_somebody_holds_gets_its_line_later(
    answer: str | None, people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    server.on_data = lambda _: answer
    with jobs_transaction() as holder:  # as an import of its order does
        holder.execute(text("SELECT FROM orders WHERE order_id = :id FOR UPDATE"), {"id": order_id})
        send(server)
        assert mails(order_id)[0].state == ("failed" if answer else "sent")
        send(server)
        assert history(order_id) == []
    send(server)
    expected = (
        f"Licence e-mail to {EMAIL} failed. The mail server answered 550 no"
        if answer
        else f"Licence e-mail has been sent to {EMAIL} (item 1, code 1)"
    )
    assert history(order_id) == [expected]
    send(server)
    assert history(order_id) == [expected]
    assert run("SELECT 1 FROM mail WHERE lacks_line") == []


# All at once


@pytest.mark.slow
def test_300_orders_are_erased_while_their_mails_leave_and_people_act(
    people: dict[str, int], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    for number in range(3):
        _race(people, server, f"person-{number}@example.com", begin_after=(40, 1, 150)[number], chance=chance)


def _race(
    people: dict[str, int], server: MailServer, email: str, *, begin_after: int, chance: random.Random
) -> None:
    run("DELETE FROM mail")
    server.accepted.clear()
    ids = _orders_with_mail(people, email)
    stop, begin, failed = threading.Event(), threading.Event(), []
    server.on_data = lambda _: begin.set() if len(server.accepted) >= begin_after else None

    def until_stopped(work: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:
            failed.append(error)
            raise

    def press() -> object:
        order_id = chance.choice(ids)
        [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
        [[mail_id]] = run("SELECT id FROM mail WHERE order_id = :id ORDER BY random() LIMIT 1", id=order_id)
        work: Callable[[], object] = chance.choice(
            [
                partial(act, people["anna"], resend_licence, order_id, code_id=code_id),
                partial(act, people["admin"], send_again, mail_id),
                partial(act, people["anna"], correct_email, order_id, email=f"x-{email}", expected=email),
                partial(act, people["anna"], request_refund, order_id, reason=f"asked by {email}"),
            ]
        )
        try:
            return work()
        except SupportError as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        working = [
            *(pool.submit(until_stopped, partial(send_due, server.url, SENDER)) for _ in range(2)),
            *(pool.submit(until_stopped, press) for _ in range(2)),
        ]
        try:
            assert begin.wait(60)
            erased = _erase_all(people, email)
        finally:
            stop.set()
        for future in working:
            future.result(60)
    assert failed == []
    assert erased.startswith("The personal data was deleted from ")
    _check_what_arrived(server, ids)


def _check_what_arrived(server: MailServer, ids: list[int]) -> None:
    """After the last messages went: what is said to be sent is exactly what arrived, each once."""
    server.on_data = lambda _: None
    for _ in range(2):
        due_now()
        send(server)
    rows = {row.message_id: row for row in run("SELECT * FROM mail")}
    arrived = Counter(str(mail.message["Message-ID"]) for mail in server.accepted)
    assert max(arrived.values()) == 1
    assert {key for key, row in rows.items() if row.state == "sent"} == set(arrived)
    assert {row.state for row in rows.values()} <= {"sent", "failed"}
    assert all(row.last_error for row in rows.values() if row.state == "failed")
    assert any(row.last_error == TAKEN_BACK for row in rows.values())
    lines = run(
        "SELECT text FROM order_history WHERE text LIKE 'Licence e-mail has been sent%' AND order_id = ANY (:ids)",
        ids=ids,
    )
    assert len(lines) == len(arrived)


def _orders_with_mail(people: dict[str, int], email: str) -> list[int]:
    made = [
        document(customer={"email": email}, items=[item(activation_codes=[{"code": f"CODE-{number}"}])])
        for number in range(300)
    ]
    factories.take_in(*made)
    ids = [int(order["order_id"]) for order in made]
    run(
        "INSERT INTO mail (message_id, kind, to_address, subject, text_body, order_id, checkout_page_id, position, "
        "number) SELECT '<' || gen_random_uuid() || '@test.example>', 'licence', o.email, 's', 't', o.order_id, "
        "o.checkout_page_id, 1, 1 FROM orders o WHERE o.order_id = ANY (:ids)",
        ids=ids,
    )
    return ids


def _erase_all(people: dict[str, int], email: str) -> str:
    """As an administrator who tries again when other orders came, or somebody held one, meanwhile."""
    for _ in range(50):
        try:
            return erase(people, email)
        except Conflict:
            continue
    raise AssertionError("never erased")
