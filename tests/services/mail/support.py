"""What the tests of mails put into the outbox, and how they look at it."""

from collections import Counter
from typing import Any

from services.delivery.mail_rounds import send_due
from services.order_actions.licences import resend_licence
from tests.support import factories
from tests.support.factories import act, document, item, run
from tests.support.mail_server import MailServer

SENDER = "ESupport portal <portal@shop.example>"


def send(server: MailServer) -> str:
    return str(send_due(server.url, SENDER))


def resent(people: dict[str, int], **fields: Any) -> int:
    """A new order whose licence was just resent; its ID."""
    made = document(**{"items": [item(activation_codes=[{"code": "AAAA-1"}])]} | fields)
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


def trouble() -> str | None:
    """Why nothing is sent, as an administrator sees it."""
    rows = run("SELECT trouble FROM mail_server")
    return rows[0].trouble if rows else None


def states() -> Counter[str]:
    return Counter(row.state for row in run("SELECT state FROM mail"))
