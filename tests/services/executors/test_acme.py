"""The example of docs/write-an-executor.md: what the page shows is this code, and it does what the page says."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret
from services.delivery.dispatching import deliver_due
from services.events.event_types import EventType
from services.executors import registry
from services.executors.interface import Accepted, Executor, NothingToDo, Refused, Result, Succeeded, TryLater
from services.executors.refundable import find_outlook
from tests.services.executors.acme import AcmeExecutor
from tests.services.executors.support import approved_by
from tests.services.refunds.support import fulfil, order, requested, result, state
from tests.support.connected import awaited, connect
from tests.support.documentation import ROOT, text_of

PAGE = ROOT / "docs" / "write-an-executor.md"


@dataclass
class AcmePay:
    """Acme Pay's own server: `answers` are given one after the other, the last one for ever."""

    base: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str | None, str | None, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[AcmePay]:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    pay = AcmePay()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pay.requests.append((self.headers["Authorization"], self.headers["Idempotency-Key"], body))
            status, answer = pay.answers.pop(0) if len(pay.answers) > 1 else pay.answers[0]
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        pay.base = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield pay
        server.shutdown()


def test_the_page_shows_this_code() -> None:
    shown = re.findall(r"^```python\n(.*?)^```", text_of(PAGE), re.M | re.S)
    source = (ROOT / "tests" / "services" / "executors" / "acme.py").read_text(encoding="utf-8")
    assert source in shown


@pytest.mark.parametrize(
    ("status", "answer", "result"),
    [
        (200, {"id": "r1", "amount": "49.00"}, Succeeded("r1", Decimal("49.00"))),
        (202, {"id": "r1"}, Accepted("r1")),
        (422, {"reason": "The card is closed."}, Refused("Acme Pay refused: The card is closed.")),
        (500, {}, TryLater("Acme Pay answered 500.", 500)),
    ],
)
def test_what_an_answer_means(acme: AcmePay, status: int, answer: dict[str, str], result: Result) -> None:
    acme.answers = [(status, answer)]
    executor: Executor = AcmeExecutor(acme.base)
    outgoing = approved_by("p1", number=311, payment_provider="acme", secrets=("key",))
    assert executor.send(outgoing) == result
    body = {"payment": "p1", "amount": "49.00", "currency": "EUR", "note": "Order A0000000311, request 311"}
    assert acme.requests == [("Bearer key", str(outgoing.action_id), body)]


def test_a_second_attempt_has_the_key_of_the_first(acme: AcmePay) -> None:
    acme.answers = [(503, {}), (200, {"id": "r1", "amount": "49.00"})]
    outgoing = approved_by("p1", payment_provider="acme", secrets=("key",))
    assert isinstance(AcmeExecutor(acme.base).send(outgoing), TryLater)
    assert isinstance(AcmeExecutor(acme.base).send(outgoing), Succeeded)
    assert len({key for _, key, _ in acme.requests}) == 1


def test_other_events_and_other_hosts_are_left_alone(acme: AcmePay) -> None:
    taken = approved_by("p1", event=EventType.REFUND_TAKEN)
    assert AcmeExecutor(acme.base).send(taken) == NothingToDo()
    private = AcmeExecutor("https://10.0.0.1").send(approved_by("p1", payment_provider="acme"))
    assert isinstance(private, TryLater)
    assert acme.requests == []


def test_a_refund_goes_all_the_way_by_a_provider_that_nothing_else_knows(
    people: dict[str, int], acme: AcmePay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._EXECUTORS, "acme", lambda: AcmeExecutor(acme.base))
    acme.answers = [(503, {}), (200, {"id": "r1", "amount": "10.00"})]
    connection_id = connect("shop-a", kind="acme", topics=["refunds"], confirms=True)
    with jobs_transaction() as connection:
        add_secret(connection, connection_id, Purpose.API, "key")
    sold = order(payment={"provider": "Acme", "reference": "p1"})
    request_id = requested(people, sold, taken_by="rita")
    with viewer_transaction(people["rita"]) as connection:
        outlook = find_outlook(connection, sold)
    assert outlook is not None and outlook.executor == "Acme Pay" and outlook.why_not(Decimal(10)) is None
    assert "Acme has to confirm it" in fulfil(people, request_id)
    deliver_due()
    deliver_due()
    assert result(request_id)[:2] == ("completed", "full")
    assert state(sold) == ("deleted", "completed")
    assert [(key, body["amount"]) for _, key, body in acme.requests] == [(str(awaited(sold).id), "10.00")] * 2
