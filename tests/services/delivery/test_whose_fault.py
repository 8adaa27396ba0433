"""Whose fault an answer is: ours fails no message, and is said where somebody sees it who can put it right."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from db.connections.engine import viewer_transaction
from services.delivery import worker as worker
from services.delivery.mail_rounds import send_due
from services.entrypoints import launcher
from services.mail.server_state import find_mail_server
from tests.services.mail.support import SENDER, due_now, queued, send, states, trouble
from tests.support.factories import run
from tests.support.mail_server import MailServer, mail_server, refusing_server

PROJECT = Path(__file__).resolve().parents[3]
UNTOUCHED = [("queued", 0, None)]


def rows() -> list[tuple[str, int, str | None]]:
    return [tuple(row) for row in run("SELECT DISTINCT state, attempts, last_error FROM mail")]


# What concerns all messages


@pytest.mark.parametrize(
    "answers",
    [
        {"banner": "554 5.3.2 No mail here"},
        {"banner": "421 Too many connections"},
        {"ehlo": "550 You are not welcome", "helo": "550 You are not welcome"},
        {"auth": "535 5.7.8 Wrong password", "ehlo": "250-here\r\n250 AUTH PLAIN"},
        {"auth": "454 4.7.0 Later", "ehlo": "250-here\r\n250 AUTH PLAIN"},
        {"ehlo": "250 here"},  # nobody can sign in
        *(
            {"mail": answer, "ehlo": "250-here\r\n250 AUTH PLAIN", "auth": "235 welcome"}
            for answer in (
                "553 5.1.8 Sender domain not found",
                "550 5.7.1 Not yours to send as",
                "501 5.1.7 Bad sender address",
                "530 5.7.0 Sign in first",
                "451 4.3.0 Try again later",
                "452 4.3.1 Disk full",
                "500 What?",
            )
        ),
    ],
    ids=str,
)
def test_a_server_that_does_not_want_us_fails_nothing(
    answers: dict[str, str], people: dict[str, int], server: MailServer
) -> None:
    queued(3)
    run("UPDATE mail SET queued_at = now() - interval '30 days', created_at = now() - interval '30 days'")
    with refusing_server(**answers) as url:
        assert str(send_due(url, SENDER)) == "0 sent, 3 put off, 0 failed"
        assert rows() == UNTOUCHED
        said = trouble() or ""
        assert "secret" not in said and len(said) > 20
        assert str(send_due(url, SENDER)) == "0 sent, 3 put off, 0 failed"
    # Put right: they leave at once, without waiting for a pause of their own.
    assert send(server) == "3 sent, 0 put off, 0 failed"
    assert trouble() is None


@pytest.mark.parametrize(
    "mail_from",
    ["Acme", "Acme <support>", "a@acme.example, b@acme.example", "Acme <a@💩.example>", "a@xn--a.example"],
)
def test_a_sender_that_is_none_fails_nothing(
    mail_from: str, people: dict[str, int], server: MailServer
) -> None:
    queued(3)
    tally = send_due(server.url, mail_from)
    assert (str(tally), rows()) == ("0 sent, 3 put off, 0 failed", UNTOUCHED)
    assert "MAIL_FROM must be one e-mail address" in (tally.trouble or "")


@pytest.mark.parametrize(
    "mail_from", ["Acme Support, Ltd. <support@acme.example>", "Söhne, die <a@straße.example>"]
)
def test_a_sender_with_a_comma_or_letters_of_its_own(
    mail_from: str, people: dict[str, int], server: MailServer
) -> None:
    queued(1)
    assert str(send_due(server.url, mail_from)) == "1 sent, 0 put off, 0 failed"
    [address] = server.accepted[0].message["From"].addresses
    assert f"{address.display_name} <{address.addr_spec}>" == mail_from.replace("straße", "xn--strae-oqa")


def test_a_sender_that_needs_smtputf8(people: dict[str, int], server: MailServer) -> None:
    queued(1)
    with mail_server(utf8=False) as plain:
        tally = send_due(plain.url, "почта@acme.example")
        assert (str(tally), rows()) == ("0 sent, 1 put off, 0 failed", UNTOUCHED)
        assert "MAIL_FROM has letters outside ASCII" in (tally.trouble or "")
    assert str(send_due(server.url, "почта@acme.example")) == "1 sent, 0 put off, 0 failed"
    assert server.accepted[0].sender == "почта@acme.example"


def test_a_password_that_cannot_be_sent(people: dict[str, int], server: MailServer) -> None:
    queued(1)
    with mail_server(password="pässword") as other:
        tally = send_due(f"smtp://portal:p%C3%A4ssword@localhost:{other.port}?timeout=2", SENDER)
    assert (str(tally), rows()) == ("0 sent, 1 put off, 0 failed", UNTOUCHED)
    assert (
        tally.trouble
        == "The user or the password in SMTP_URL has letters outside ASCII, which cannot be sent."
    )


# What concerns one message


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.7.1 <p2@example.com>: Relay access denied",
        "550 relay not permitted",
        "553 5.7.1 <portal@shop.example>: Sender address rejected: not owned by user",
        "550 5.1.8 Domain of sender does not exist",
        "450 4.1.8 Sender address rejected: Domain not found",
        "550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy",
        "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
        "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
        "503 5.5.1 Bad sequence",
        "550 5.7.60 Client does not have permissions to send as this",
    ],
)
@pytest.mark.parametrize("moment", ["on_rcpt", "on_data"])
def test_an_answer_about_us_never_fails_a_message_and_holds_up_no_other(
    moment: str, answer: str, people: dict[str, int], server: MailServer
) -> None:
    queued(3)
    if moment == "on_rcpt":
        server.on_rcpt = lambda address: answer if address == "p2@example.com" else None
    else:
        server.on_data = lambda content: answer if b"p2@example.com" in content else None
    run("UPDATE mail SET queued_at = now() - interval '30 days', attempts = 20")
    assert send(server) == "2 sent, 1 put off, 0 failed"
    for _ in range(3):
        due_now()
        assert send(server) == "0 sent, 1 put off, 0 failed"
    assert states() == {"sent": 2, "queued": 1}
    [[error]] = run("SELECT last_error FROM mail WHERE state = 'queued'")
    nameless = answer.replace("p2@example.com", "…")
    assert (
        error == trouble() == f"The mail server answered {nameless}"
    )  # whom it was for is not kept beside the message


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 No such user",
        "550 5.5.0 Requested action not taken: mailbox unavailable",
        "550 5.7.1 Message rejected as spam",
        "552 5.2.2 Mailbox full",
        "501 5.1.3 Bad recipient address syntax",
        "551 User not local",
    ],
)
def test_an_answer_about_the_recipient_or_the_content_fails_that_message(
    answer: str, people: dict[str, int], server: MailServer
) -> None:
    queued(3)
    server.on_rcpt = lambda address: answer if address == "p2@example.com" else None
    assert send(server) == "2 sent, 0 put off, 1 failed"
    assert trouble() is None


def test_a_message_too_large_for_the_server_is_its_own_fault(
    people: dict[str, int], server: MailServer
) -> None:
    queued(2)
    run("UPDATE mail SET text_body = repeat('x', 20000) WHERE to_address LIKE 'p1@%'")
    with mail_server(size_limit=10_000) as small:
        assert str(send_due(small.url, SENDER)) == "1 sent, 0 put off, 1 failed"
    [[error]] = run("SELECT last_error FROM mail WHERE state = 'failed'")
    assert error.startswith("The mail server answered 552")
    assert trouble() is None


# Where it is said


def test_administrators_and_the_log_are_told(
    people: dict[str, int],
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.on_mail = lambda _: "553 5.7.1 Not yours to send as"
    monkeypatch.setenv("SMTP_URL", server.url)
    queued(1)
    with caplog.at_level(logging.WARNING):
        send(server)
    assert "Mails wait. The mail server answered 553 5.7.1 Not yours to send as" in caplog.text
    for name in ("admin", "anna"):
        with viewer_transaction(people[name]) as connection:
            state = find_mail_server(connection)
            assert state is not None and state.trouble_since is not None
            first = state.trouble_since
    send(server)
    with viewer_transaction(people["admin"]) as connection:
        state = find_mail_server(connection)
        assert (
            state is not None and state.trouble_since == first
        )  # since it began, not since it was seen last
        monkeypatch.setenv("SMTP_URL", "smtp://another.example")
        assert find_mail_server(connection) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAIL_FROM", "Acme <support@>"),
        ("MAIL_FROM", "a@x.example, b@x.example"),
        ("SMTP_URL", "smtp://💩.example"),
    ],
)
def test_nothing_starts_with_a_setting_that_means_nothing(
    name: str,
    value: str,
    people: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert launcher.main() == 1
    assert capsys.readouterr().err.startswith(f"{name} must ")
    assert worker.main(["--once"]) == 1
    assert capsys.readouterr().err.startswith(f"{name} must ")


def test_a_worker_pauses_and_goes_on_by_itself(
    people: dict[str, int], server: MailServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str | None] = ["553 5.7.1 Not yours to send as"]
    server.on_mail = lambda _: answers[0]
    queued(2)
    code = "import services.delivery.mail_rounds as m, services.delivery.worker as w; m._FIRST_PAUSE = 0.3; w.main([])"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, env=os.environ | {"SMTP_URL": server.url}
    )
    try:
        deadline = time.monotonic() + 30
        while trouble() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert trouble() == "The mail server answered 553 5.7.1 Not yours to send as"
        assert rows() == UNTOUCHED and process.poll() is None
        answers[0] = None
        while len(server.accepted) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(server.accepted) == 2
    finally:
        process.kill()
        process.wait()
