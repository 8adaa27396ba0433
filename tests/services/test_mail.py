"""The outbox and its worker, before a real SMTP server on loopback that is told to misbehave."""

import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from db.engine import viewer_transaction
from services import mail as worker
from services.customers import correct_email
from services.errors import NotAllowed
from services.licences import resend_licence
from services.mail import send_due
from services.mail_log import MailIsBeingSent, MailNotFound, MailState, find_mails, get_mail, send_again
from services.refund_queue import refuse_request, take_request
from services.refunds import request_refund
from tests import factories
from tests.factories import act, document, history, item, mails, run
from tests.mail_server import DROP, HANG, MailServer, mail_server

SENDER = "ESupport portal <portal@shop.example>"
PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }


@pytest.fixture
def server(people: dict[str, int]) -> Iterator[MailServer]:
    """A server, and an outbox that is empty at first."""
    run("DELETE FROM mail")
    with mail_server() as one:
        yield one


def send(server: MailServer) -> str:
    return str(send_due(server.url, SENDER))


def resent(people: dict[str, int], **given: Any) -> int:
    """A new order whose licence was just resent; its ID."""
    made = document(**{"items": [item(activation_codes=[{"code": "AAAA-1"}])]} | given)
    factories.take_in(made)
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=made["order_id"])
    act(people["anna"], resend_licence, made["order_id"], code_id=code_id)
    return int(made["order_id"])


def queued(number: int) -> None:
    """So many messages to as many people, without an order."""
    run(
        "INSERT INTO mail (message_id, kind, to_address, subject, text_body, html_body) "
        "SELECT '<' || n || '@test.example>', 'refund', 'p' || n || '@example.com', 's', 'text ' || n, '<p>html</p>' "
        "FROM generate_series(1, :number) n",
        number=number,
    )


def due_now() -> None:
    run("UPDATE mail SET next_attempt_at = now() WHERE state = 'queued'")


def states() -> Counter[str]:
    return Counter(row.state for row in run("SELECT state FROM mail"))


# What arrives


def test_a_licence_to_the_letter(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(
        people,
        order_detail_url="https://shop.example/orders/1",
        customer={"email": "ines@bücher.example", "first_name": "Инес", "last_name": "Ara\u00fajo"},
        items=[item(name="Antivirus <Pro> & 防病毒", activation_codes=[{"code": "<AAAA>&1"}],
                    license_user={"email": "user@example.org"})],
    )  # fmt: skip
    name = f"A{order_id:010}"
    assert send(server) == "1 sent, 0 put off, 0 failed"
    [got] = server.accepted
    assert (got.sender, got.recipients) == ("portal@shop.example", ["ines@xn--bcher-kva.example"])
    assert got.message["Subject"] == f"Your licence for order {name}"
    assert got.message["From"] == SENDER
    assert got.message["To"] == "Инес Araújo <ines@xn--bcher-kva.example>"
    assert got.text == (
        "Hello Инес Araújo,\n\n"
        f"here is the licence information of your order {name} once more.\n\n"
        "Antivirus <Pro> & 防病毒\n<AAAA>&1\n\n"
        "Your order with all its licences and documents: https://shop.example/orders/1\n\nshop-a"
    )
    assert "&lt;AAAA&gt;&amp;1" in got.html and "<Pro>" not in got.html
    assert got.content.isascii()
    [row] = mails(order_id)
    assert (row.state, row.attempts, row.last_error) == ("sent", 1, None)
    assert got.message["Message-ID"] == row.message_id
    assert history(order_id) == ["Licence e-mail has been sent to ines@bücher.example (item 1, code 1)"]
    assert send(server) == "0 sent, 0 put off, 0 failed"


def test_a_refund_answer_to_the_letter(people: dict[str, int], server: MailServer) -> None:
    made = document()
    factories.take_in(made)
    order_id, name = made["order_id"], made["order_name"]
    act(people["anna"], request_refund, order_id, reason="x")
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
    act(people["rita"], take_request, request_id)
    act(people["rita"], refuse_request, request_id, note="Secret note")
    send(server)
    [got] = server.accepted
    assert got.recipients == ["anna@test.example"]
    assert got.message["Subject"] == f"[Esupport] Refund request for {name} has been completed"
    assert got.text == f"Your refund request for {name} has been completed with result: refund failed"
    assert "Secret" not in got.content.decode()


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: spy@example.com", "x\nBcc: spy@example.com\n\nbody", "x\r\n.\r\nQUIT"]
)
def test_nothing_in_a_row_adds_a_header_or_a_recipient(
    evil: str, people: dict[str, int], server: MailServer
) -> None:
    run(
        "INSERT INTO mail (message_id, kind, to_address, to_name, subject, text_body, html_body) "
        "VALUES ('<1@test.example>', 'refund', 'a@example.com', :evil, 's', :body, :body)",
        evil=evil, body=f"before\n{evil}\n.\n..\nFrom here",
    )  # fmt: skip
    send(server)
    [got] = server.accepted
    assert got.recipients == ["a@example.com"]
    assert sorted(got.message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert got.text.splitlines() == f"before\n{evil}\n.\n..\nFrom here".splitlines()


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nRCPT TO:<spy@example.com>", "a@example.com, b@example.com", "none"]
)
def test_an_address_that_is_none_fails_and_says_so(
    address: str, people: dict[str, int], server: MailServer
) -> None:
    run(
        "INSERT INTO mail (message_id, kind, to_address, subject, text_body) VALUES ('<1@x>', 'refund', :to, 's', 't')",
        to=address,
    )
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert server.accepted == []
    [[error]] = run("SELECT last_error FROM mail")
    assert error == "The address is none that mail can be sent to."


# A licence whose order has changed while it waited


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE orders SET status = 'deleted' WHERE order_id = :id", "only while the order is Paid"),
        ("UPDATE activation_code SET deleted = true WHERE order_id = :id", "code was deleted meanwhile"),
        ("UPDATE orders SET email = 'new@example.com' WHERE order_id = :id", "e-mail was changed meanwhile"),
        (
            (
                "UPDATE orders SET customer_erased = true, email = NULL, first_name = NULL, last_name = NULL "
                "WHERE order_id = :id"
            ),
            "e-mail was changed meanwhile",
        ),
    ],
)
def test_it_is_not_sent_any_more(change: str, why: str, people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    run(change, id=order_id)
    send(server)
    assert server.accepted == []
    assert mails(order_id)[0].state == "failed"
    assert why in history(order_id)[-1]


def test_after_a_correction_resend_goes_to_the_new_address_alone(
    people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    act(people["anna"], correct_email, order_id, email="ana@example.com", expected="ines@example.com")
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
    act(people["anna"], resend_licence, order_id, code_id=code_id)
    send(server)
    assert [got.recipients for got in server.accepted] == [["ana@example.com"]]


# A server that misbehaves


@pytest.mark.parametrize("place", ["on_mail", "on_rcpt", "on_data"])
def test_a_temporary_refusal_is_tried_again(place: str, people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    setattr(server, place, lambda _: "451 4.3.0 Try again later")
    assert send(server) == "0 sent, 1 put off, 0 failed"
    [row] = mails(order_id)
    assert (row.state, row.attempts) == ("queued", 1)
    assert row.last_error == "The mail server answered 451 4.3.0 Try again later"
    assert 5 <= (row.next_attempt_at - row.queued_at).total_seconds() <= 12
    assert send(server) == "0 sent, 0 put off, 0 failed"
    setattr(server, place, lambda _: None)
    due_now()
    assert send(server) == "1 sent, 0 put off, 0 failed"
    assert len(server.accepted) == 1
    assert history(order_id) == ["Licence e-mail has been sent to ines@example.com (item 1, code 1)"]


@pytest.mark.parametrize("place", ["on_mail", "on_rcpt", "on_data"])
def test_a_lasting_refusal_is_final_and_stands_in_the_history(
    place: str, people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    setattr(server, place, lambda _: "550 5.1.1 No such user")
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert mails(order_id)[0].state == "failed"
    assert history(order_id) == [
        "Licence e-mail to ines@example.com failed. The mail server answered 550 5.1.1 No such user"
    ]
    [[kind]] = run("SELECT kind FROM order_history WHERE order_id = :id AND source = 'portal'", id=order_id)
    assert kind == "error"


def test_one_bad_message_does_not_hold_up_the_others(people: dict[str, int], server: MailServer) -> None:
    queued(5)
    server.on_rcpt = lambda address: "550 no" if address == "p2@example.com" else None
    server.on_data = lambda content: "452 full" if b"text 4" in content else None
    assert send(server) == "3 sent, 1 put off, 1 failed"
    assert [got.recipients[0][:2] for got in server.accepted] == ["p1", "p3", "p5"]


@pytest.mark.parametrize("trouble", ["421 4.3.2 Shutting down", "454 TLS not available"])
def test_a_server_in_trouble_puts_all_off_at_once(
    trouble: str, people: dict[str, int], server: MailServer
) -> None:
    queued(5)
    server.on_mail = lambda _: trouble
    assert send(server) == "0 sent, 5 put off, 0 failed"
    assert states() == {"queued": 5}


def test_nobody_listens(people: dict[str, int], server: MailServer) -> None:
    queued(3)
    assert str(send_due("smtp://localhost:1", SENDER)) == "0 sent, 3 put off, 0 failed"
    [[error]] = run("SELECT DISTINCT last_error FROM mail")
    assert error.startswith("localhost:1 could not be used:")


@pytest.mark.parametrize("how", [DROP, HANG])
@pytest.mark.parametrize("place", ["on_mail", "on_rcpt"])
def test_lost_before_the_message_was_handed_over(
    place: str, how: str, people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    setattr(server, place, lambda _: how)
    assert send(server) == "0 sent, 1 put off, 0 failed"
    setattr(server, place, lambda _: None)
    due_now()
    assert send(server) == "1 sent, 0 put off, 0 failed"
    assert len(server.to("ines@example.com")) == 1 and mails(order_id)[0].attempts == 2


@pytest.mark.parametrize("how", [DROP, HANG])
@pytest.mark.parametrize("was_kept", [True, False])
def test_lost_after_it_was_handed_over_is_reported_and_not_repeated(
    was_kept: bool, how: str, people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    server.on_data, server.keeps_unanswered = lambda _: how, was_kept
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert history(order_id) == [
        (
            "Licence e-mail to ines@example.com failed. The mail server was given the message and did not answer, "
            "so it may or may not have arrived."
        )
    ]
    server.on_data = lambda _: None
    due_now()
    assert send(server) == "0 sent, 0 put off, 0 failed"
    assert len(server.accepted) == int(was_kept)


def test_a_connection_that_grew_old_is_opened_anew(people: dict[str, int], server: MailServer) -> None:
    queued(3)
    seen: list[str] = []

    def once(address: str) -> str | None:
        seen.append(address)
        return DROP if len(seen) == 2 else None

    server.on_mail = once
    assert send(server) == "3 sent, 0 put off, 0 failed"
    assert [len(server.to(f"p{n}@example.com")) for n in (1, 2, 3)] == [1, 1, 1]


def test_after_a_day_it_gives_up(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    server.on_mail = lambda _: "451 busy"
    run("UPDATE mail SET queued_at = now() - interval '23 hours 59 minutes 50 seconds', attempts = 30")
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert history(order_id) == [
        "Licence e-mail to ines@example.com failed. Given up after a day. The mail server answered 451 busy"
    ]


def test_pauses_double_up_to_an_hour_and_are_spread(people: dict[str, int], server: MailServer) -> None:
    queued(40)
    run("UPDATE mail SET attempts = 3 WHERE id % 2 = 0")
    run("UPDATE mail SET attempts = 15 WHERE id % 2 = 1")
    server.on_mail = lambda _: "421 no"
    send(server)
    for attempts, longest in ((4, 80), (16, 3600)):
        pauses = [
            row.pause
            for row in run(
                "SELECT extract(epoch FROM next_attempt_at - now()) AS pause FROM mail WHERE attempts = :attempts",
                attempts=attempts,
            )
        ]
        assert len(pauses) == 20 and len({round(pause) for pause in pauses}) > 5
        assert longest * 0.5 - 5 <= min(pauses) and max(pauses) <= longest


# Encryption and signing in


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority, and its certificate as a file."""
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return ca, file


def certificate(authority: tuple[trustme.CA, Path], host: str = "localhost") -> Any:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert(host).configure_cert(context)
    return context


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_encrypted_and_signed_in(
    way: str, authority: tuple, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("DELETE FROM mail")
    queued(2)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    with mail_server(**{way: certificate(authority)}, password="p@ss word/%") as server:
        scheme, option = ("smtp", "&starttls=1") if way == "starttls" else ("smtps", "")
        wrong = f"{scheme}://portal:no@localhost:{server.port}?timeout=2{option}"
        assert str(send_due(wrong, SENDER)) == "0 sent, 2 put off, 0 failed"
        due_now()
        right = f"{scheme}://portal:p%40ss%20word%2F%25@localhost:{server.port}?timeout=2{option}"
        assert str(send_due(right, SENDER)) == "2 sent, 0 put off, 0 failed"
        assert [(got.is_encrypted, got.login) for got in server.accepted] == [(True, "portal")] * 2


@pytest.mark.parametrize("way", ["starttls", "tls"])
@pytest.mark.parametrize("trouble", ["unknown authority", "another host", "no encryption"])
def test_what_cannot_be_trusted_gets_nothing(
    way: str, trouble: str, authority: tuple, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("DELETE FROM mail")
    queued(2)
    if trouble != "unknown authority":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    host = "elsewhere.example" if trouble == "another host" else "localhost"
    options = {} if trouble == "no encryption" else {way: certificate(authority, host)}
    with mail_server(**options) as server:
        scheme, option = ("smtp", "&starttls=1") if way == "starttls" else ("smtps", "")
        url = f"{scheme}://localhost:{server.port}?timeout=2{option}"
        assert str(send_due(url, SENDER)) == "0 sent, 2 put off, 0 failed"
        assert server.accepted == []
    [[error]] = run("SELECT DISTINCT last_error FROM mail")
    assert error.startswith(f"localhost:{server.port} could not be used: ")


# Several workers, and workers that die


def test_several_workers_send_each_message_once(people: dict[str, int], server: MailServer) -> None:
    queued(300)
    with ThreadPoolExecutor(4) as pool:
        tallies = list(pool.map(lambda _: send_due(server.url, SENDER), range(4)))
    assert sum(tally.sent for tally in tallies) == 300
    assert sum(tally.sent > 0 for tally in tallies) > 1
    assert Counter(got.recipients[0] for got in server.accepted) == Counter(
        f"p{n}@example.com" for n in range(1, 301)
    )


def _die_somewhere(url: str) -> None:
    """A worker in a process of its own: sends until it is killed."""
    while True:
        send_due(url, SENDER)
        time.sleep(0.01)


def test_killed_50_times_over_1000_messages(people: dict[str, int], server: MailServer) -> None:
    """Every message arrives once or is reported as failed; none is lost and none doubled."""
    chance = random.Random(7)
    queued(1000)

    def trouble(content: bytes) -> str | None:
        return chance.choices([None, "451 later", "550 never", DROP], [90, 6, 2, 2])[0]

    server.on_data, server.keeps_unanswered = trouble, True
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.services.test_mail"])
    kills = 0
    while kills < 50:
        process = processes.Process(target=_die_somewhere, args=(server.url,), daemon=True)
        process.start()
        handed = len(server.accepted)
        deadline = time.monotonic() + 20
        while len(server.accepted) == handed and time.monotonic() < deadline:
            time.sleep(0.001)  # until it has begun
        time.sleep(chance.uniform(0, 0.1))
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += 1
        due_now()
        if states()["queued"] < 20:  # so that the last ones have something to die over
            run(
                "INSERT INTO mail (message_id, kind, to_address, subject, text_body) "
                "SELECT '<' || gen_random_uuid() || '@test.example>', 'refund', 'p@example.com', 's', 't' "
                "FROM generate_series(1, 200)"
            )
    while states()["queued"]:
        due_now()
        send(server)
    rows = {row.message_id: row for row in run("SELECT message_id, state, last_error FROM mail")}
    arrived = Counter(str(got.message["Message-ID"]) for got in server.accepted)
    assert len(rows) >= 1000
    assert max(arrived.values()) == 1
    assert {row.state for row in rows.values()} == {"sent", "failed"}
    assert {key for key, row in rows.items() if row.state == "sent"} - set(arrived) == set()
    # What was reported as failed arrived only where the report says that it may have.
    uncertain = {key for key, row in rows.items() if "may or may not have arrived" in (row.last_error or "")}
    assert {key for key in arrived if rows[key].state == "failed"} <= uncertain
    assert 0 < len(uncertain) <= 50 + 60
    assert run("SELECT count(*) FROM mail_handover") == [(0,)]


def test_a_pause_for_all_leaves_out_what_a_lost_worker_handed_over(
    people: dict[str, int], server: MailServer
) -> None:
    queued(3)
    run("INSERT INTO mail_handover SELECT max(id) FROM mail")
    server.on_mail = lambda _: "421 no"
    assert send(server) == "0 sent, 2 put off, 0 failed"
    server.on_mail = lambda _: None
    due_now()
    assert send(server) == "2 sent, 0 put off, 1 failed"
    assert server.to("p3@example.com") == []


def test_the_command(people: dict[str, int], server: MailServer, database: str) -> None:
    queued(2)

    def command(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.mail", "--once"],
            cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert "SMTP_URL is not set" in command().stdout
    assert states() == {"queued": 2}
    assert command(SMTP_URL=server.url, MAIL_FROM=SENDER).stdout == "2 sent, 0 put off, 0 failed\n"
    assert server.accepted[0].message["From"] == SENDER


def test_the_worker_goes_on_until_it_is_told_to_stop(
    people: dict[str, int], server: MailServer, database: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "services.mail"], cwd=PROJECT, env=os.environ | {"SMTP_URL": server.url}
    )
    try:
        for number in (1, 2):
            run("DELETE FROM mail")
            queued(1)
            wait_for(lambda number=number: len(server.accepted) == number)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# The mail log


def test_administrators_see_and_send_again(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    server.on_rcpt = lambda _: "550 no"
    send(server)
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        [listed] = find_mails(connection, admin, state=MailState.FAILED)
        assert find_mails(connection, admin, state=MailState.SENT) == ()
        seen = get_mail(connection, admin, listed.id)
    assert (seen.order_id, seen.to_address, seen.attempts, seen.last_error) == (
        order_id, "ines@example.com", 1, "The mail server answered 550 no",
    )  # fmt: skip
    assert "AAAA-1" in seen.text_body
    server.on_rcpt = lambda _: None
    assert act(people["admin"], send_again, listed.id) == "The message is in the queue again."
    send(server)
    assert [got.message["Message-ID"] for got in server.accepted] == [seen.message_id]


def test_one_that_was_sent_is_sent_again_as_another_message(
    people: dict[str, int], server: MailServer
) -> None:
    queued(1)
    send(server)
    [[mail_id]] = run("SELECT id FROM mail")
    act(people["admin"], send_again, mail_id)
    send(server)
    first, second = server.accepted
    assert first.text == second.text and first.message["Message-ID"] != second.message["Message-ID"]
    assert states() == {"sent": 2}


def test_one_that_is_being_sent_is_left_alone(people: dict[str, int], server: MailServer) -> None:
    queued(1)
    [[mail_id]] = run("SELECT id FROM mail")

    def meanwhile(_: bytes) -> None:
        with pytest.raises(MailIsBeingSent):
            act(people["admin"], send_again, mail_id)

    server.on_data = meanwhile
    assert send(server) == "1 sent, 0 put off, 0 failed"


@pytest.mark.parametrize("name", ["anna", "rita"])
def test_nobody_else_does(name: str, people: dict[str, int], server: MailServer) -> None:
    queued(1)
    [[mail_id]] = run("SELECT id FROM mail")
    asks = factories.viewer(people[name])
    with viewer_transaction(people[name]) as connection:
        for work in (lambda: find_mails(connection, asks), lambda: get_mail(connection, asks, mail_id)):
            with pytest.raises(NotAllowed):
                work()
    with pytest.raises(NotAllowed):
        act(people[name], send_again, mail_id)


def test_no_such_message(people: dict[str, int], server: MailServer) -> None:
    with pytest.raises(MailNotFound):
        act(people["admin"], send_again, 10**9)


def test_pages_of_the_log(people: dict[str, int], server: MailServer) -> None:
    queued(5)
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        first = find_mails(connection, admin, limit=3)
        rest = find_mails(connection, admin, limit=3, before=first[-1].id)
    ids = [one.id for one in (*first, *rest)]
    assert len(ids) == 5 and ids == sorted(ids, reverse=True)


def test_message_ids_are_of_the_senders_domain(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_FROM", "Portal <portal@bücher.example>")
    from services.outbox import new_message_id

    assert re.fullmatch(r"<[0-9a-f]{32}@xn--bcher-kva\.example>", new_message_id())


def test_a_round_says_what_it_did() -> None:
    assert str(worker.Tally(1, 2, 3)) == "1 sent, 2 put off, 3 failed"
