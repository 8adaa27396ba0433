"""What arrives at a mail server, and what happens before one that misbehaves."""

import pytest

from services.delivery.mail_rounds import send_due
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.refunds.processing import refuse_request, take_request
from services.refunds.requests import request_refund
from tests.services.mail.support import SENDER, due_now, queued, resent, send, trouble
from tests.support import factories
from tests.support.factories import act, document, history, item, mails, run
from tests.support.mail_server import DROP, HANG, MailServer

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
        f"Here is the licence information for your order {name} once more.\n\n"
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
    assert error == "Mail cannot be sent to this e-mail address."


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


def test_a_copy_whose_twin_was_deleted_is_not_sent_once_it_is_refunded(
    people: dict[str, int], server: MailServer
) -> None:
    twins = [item(activation_codes=[{"code": "TWIN", "deleted": gone}]) for gone in (False, True)]
    made = document(items=twins)
    factories.take_in(made)
    [[code_id]] = run(
        "SELECT id FROM activation_code WHERE order_id = :id AND NOT deleted", id=made["order_id"]
    )
    act(people["anna"], resend_licence, made["order_id"], code_id=code_id)
    run("UPDATE order_item SET refunded = true WHERE order_id = :id", id=made["order_id"])
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert "deleted with another item" in history(made["order_id"])[-1]


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


@pytest.mark.parametrize("moment", ["on_rcpt", "on_data"])
def test_a_temporary_refusal_is_tried_again(moment: str, people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    setattr(server, moment, lambda _: "451 4.3.0 Try again later")
    assert send(server) == "0 sent, 1 put off, 0 failed"
    [row] = mails(order_id)
    assert (row.state, row.attempts) == ("queued", 1)
    assert row.last_error == "The mail server answered 451 4.3.0 Try again later"
    assert 5 <= (row.next_attempt_at - row.queued_at).total_seconds() <= 12
    assert send(server) == "0 sent, 0 put off, 0 failed"
    setattr(server, moment, lambda _: None)
    due_now()
    assert send(server) == "1 sent, 0 put off, 0 failed"
    assert len(server.accepted) == 1
    assert history(order_id) == ["Licence e-mail has been sent to ines@example.com (item 1, code 1)"]


@pytest.mark.parametrize("moment", ["on_rcpt", "on_data"])
def test_a_lasting_refusal_is_final_and_stands_in_the_history(
    moment: str, people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    setattr(server, moment, lambda _: "550 5.1.1 No such user")
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


@pytest.mark.parametrize("answer", ["421 4.3.2 Shutting down", "454 TLS not available"])
@pytest.mark.parametrize("moment", ["on_mail", "on_rcpt", "on_data"])
def test_while_a_server_is_in_trouble_all_wait(
    moment: str, answer: str, people: dict[str, int], server: MailServer
) -> None:
    queued(5)
    setattr(server, moment, lambda _: answer)
    assert send(server) == "0 sent, 5 put off, 0 failed"
    assert trouble() == f"The mail server answered {answer}"
    assert run("SELECT DISTINCT state, attempts, last_error FROM mail") == [("queued", 0, None)]
    setattr(server, moment, lambda _: None)
    assert send(server) == "5 sent, 0 put off, 0 failed"
    assert trouble() is None


def test_nobody_listens(people: dict[str, int], server: MailServer) -> None:
    queued(3)
    assert str(send_due("smtp://localhost:1", SENDER)) == "0 sent, 3 put off, 0 failed"
    assert (trouble() or "").startswith("localhost:1 could not be used: ")
    assert run("SELECT DISTINCT state, attempts FROM mail") == [("queued", 0)]


@pytest.mark.parametrize("how", [DROP, HANG])
@pytest.mark.parametrize("moment", ["on_mail", "on_rcpt"])
def test_lost_before_the_message_was_handed_over(
    moment: str, how: str, people: dict[str, int], server: MailServer
) -> None:
    order_id = resent(people)
    setattr(server, moment, lambda _: how)
    assert send(server) == "0 sent, 1 put off, 0 failed"
    setattr(server, moment, lambda _: None)
    due_now()
    assert send(server) == "1 sent, 0 put off, 0 failed"
    assert len(server.to("ines@example.com")) == 1
    assert mails(order_id)[0].attempts == (
        2 if moment == "on_rcpt" else 1
    )  # before that it is the server's fault


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
    server.on_rcpt = lambda _: "451 busy"
    run("UPDATE mail SET refused_since = now() - interval '23 hours 59 minutes 50 seconds', attempts = 30")
    assert send(server) == "0 sent, 0 put off, 1 failed"
    assert history(order_id) == [
        "Licence e-mail to ines@example.com failed. Given up after a day. The mail server answered 451 busy"
    ]


def test_pauses_double_up_to_an_hour_and_are_spread(people: dict[str, int], server: MailServer) -> None:
    queued(40)
    run("UPDATE mail SET attempts = 3 WHERE id % 2 = 0")
    run("UPDATE mail SET attempts = 15 WHERE id % 2 = 1")
    server.on_rcpt = lambda _: "450 no"
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
