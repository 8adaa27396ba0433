"""A person is deleted at the very moment at which somebody else acts on their orders."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.actions import ActionRequest, perform
from services.delivery.mail_rounds import send_due
from services.errors import SupportError
from services.order_actions.customer_email import CustomerErased, correct_email
from services.order_actions.licences import LicenceNotSent, resend_licence
from services.order_actions.notes import add_note
from services.order_actions.subscriptions import cancel_subscription
from services.privacy.erasure import ChangedSincePreview, Part, erase_personal_data, preview_erasure
from services.refunds.processing import fulfil_request, take_request
from services.refunds.requests import request_refund
from tests.support import factories
from tests.support.factories import Document, act, document, item, run
from tests.support.mail_server import mail_server
from tests.support.rounds import RACE_ROUNDS

pytestmark = pytest.mark.slow

DOMAIN = "person.example"
SENDER = "portal@shop.example"


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1))
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }


@pytest.fixture(scope="module")
def together() -> Iterator[Callable[..., list[Any]]]:
    """Calls functions without arguments at the same moment; what each returned, or the error a person would see."""
    with ThreadPoolExecutor(2) as pool:

        def call(*works: Callable[[], Any]) -> list[Any]:
            barrier = Barrier(len(works), timeout=30)

            def outcome(work: Callable[[], Any]) -> Any:
                barrier.wait()
                try:
                    return work()
                except SupportError as error:
                    return error

            return list(pool.map(outcome, works))

        yield call


def person(number: int, **fields: Any) -> Document:
    return document(
        customer={"email": email_of(number), "first_name": f"Given{number}", "last_name": f"Family{number}"},
        items=[
            item(activation_codes=[{"code": f"CODE-{number}"}],
                 subscription={"id": f"S-{uuid4().hex[:12]}", "type": "AR", "status": "active"})
        ],
        history=[{"date": "2026-03-01T10:00:00Z", "kind": "email", "text": f"Sent to {email_of(number)}"}],
        updated_at="2026-03-02T00:00:00Z",
    ) | fields  # fmt: skip


def email_of(number: int) -> str:
    return f"given{number}.family{number}@{DOMAIN}"


def persons() -> list[Document]:
    made = [person(number) for number in range(RACE_ROUNDS)]
    factories.take_in(*made)
    return made


def erase(people: dict[str, int], email: str, expected: Mapping[int, Part] | list[int]) -> str:
    """`expected`: what the preview showed, or the person's own orders."""
    admin = factories.viewer(people["admin"])
    if isinstance(expected, list):
        expected = dict.fromkeys(expected, Part.CUSTOMER)
    request = ActionRequest(key=uuid4(), address=None)
    return perform(admin, request, erase_personal_data, email=email, expected=expected)


def rows_left() -> dict[str, list[str]]:
    """Rows of any table that still hold an address of these people; their orders are removed afterwards."""
    tables = run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
    )
    leaks = {
        name: [row[0] for row in run(f"SELECT t::text FROM {name} t WHERE t::text LIKE '%@{DOMAIN}%'")]
        for (name,) in tables
    }
    return {name: rows for name, rows in leaks.items() if rows}


@pytest.fixture(autouse=True)
def nothing_before(people: dict[str, int]) -> Iterator[None]:
    yield
    run("DELETE FROM orders WHERE order_id <> 1")
    run("DELETE FROM action_key")


def code_of(order_id: int) -> int:
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=order_id)
    return int(code_id)


def note(people: dict[str, int], number: int, order_id: int) -> str:
    return act(
        people["anna"], add_note, order_id, text=f"Given{number} Family{number}, {email_of(number)}, called"
    )


def refund(people: dict[str, int], number: int, order_id: int) -> str:
    return act(people["anna"], request_refund, order_id, reason=f"Asked by {email_of(number)}")


def cancel(people: dict[str, int], number: int, order_id: int) -> str:
    return act(people["anna"], cancel_subscription, order_id, position=1, reason=f"{email_of(number)} asked")


def resend(people: dict[str, int], number: int, order_id: int) -> str:
    return act(people["anna"], resend_licence, order_id, code_id=code_of(order_id))


def fulfil(people: dict[str, int], number: int, order_id: int) -> str:
    [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
    return act(people["rita"], fulfil_request, request_id, positions=[1], expected_amount=Decimal(10),
               delete_codes=True, stop_renewal=True,
               note=f"Told {email_of(number)}")  # fmt: skip


@pytest.mark.parametrize("action", [note, refund, cancel, resend, fulfil])
def test_with_an_action(
    action: Callable[[dict[str, int], int, int], str],
    people: dict[str, int],
    together: Callable[..., list[Any]],
) -> None:
    for number, order in enumerate(persons()):
        order_id = order["order_id"]
        if action is fulfil:
            act(people["anna"], request_refund, order_id, reason="x")
            [[request_id]] = run("SELECT id FROM refund_request WHERE order_id = :id", id=order_id)
            act(people["rita"], take_request, request_id)
        erased, acted = together(
            partial(erase, people, email_of(number), [order_id]), partial(action, people, number, order_id)
        )
        assert isinstance(erased, str) and erased.startswith("The personal data was deleted from 1 order.")
        assert isinstance(acted, str) or (action is resend and isinstance(acted, LicenceNotSent)), acted
    assert rows_left() == {}
    assert not run("SELECT 1 FROM order_history WHERE text ~ 'Family[0-9]'")


def test_with_a_correction_of_the_email(people: dict[str, int], together: Callable[..., list[Any]]) -> None:
    outcomes: Counter[str] = Counter()
    for number, order in enumerate(persons()):
        order_id, email = order["order_id"], email_of(number)
        correct = partial(
            act, people["anna"], correct_email, order_id, email=f"other{number}@example.com", expected=email
        )
        erased, corrected = together(partial(erase, people, email, [order_id]), correct)
        if isinstance(corrected, CustomerErased):
            assert isinstance(erased, str)
            outcomes["erased first"] += 1
            continue
        assert isinstance(corrected, str)
        # Said plainly, and the next preview shows where it went.
        assert isinstance(erased, ChangedSincePreview), erased
        assert str(erased).startswith("Nothing was deleted.") and order["order_name"] in str(erased)
        with viewer_transaction(people["admin"]) as connection:
            preview = preview_erasure(connection, factories.viewer(people["admin"]), email=email)
        assert preview.parts == {order_id: Part.PAST_EMAIL}
        said = erase(people, email, preview.parts)
        assert "has another e-mail now" in said
        outcomes["corrected first"] += 1
    assert sum(outcomes.values()) == RACE_ROUNDS
    assert rows_left() == {}


def test_with_an_import_of_newer_documents(
    people: dict[str, int], together: Callable[..., list[Any]]
) -> None:
    for number, order in enumerate(persons()):
        newer = order | {
            "updated_at": datetime.now(UTC).isoformat(),
            "additional_data": [{"name": "contact", "value": email_of(number)}],
            "order_detail_url": f"https://shop.example/?mail={email_of(number)}",
        }
        newer["history"] = [*order["history"], order["history"][0] | {"text": f"Reminded {email_of(number)}"}]
        erased, _ = together(
            partial(erase, people, email_of(number), [order["order_id"]]), partial(factories.take_in, newer)
        )
        assert isinstance(erased, str), erased
    assert rows_left() == {}
    [[erased_orders]] = run("SELECT count(*) FROM orders WHERE customer_erased")
    assert erased_orders == RACE_ROUNDS


def test_with_a_document_that_says_so(people: dict[str, int], together: Callable[..., list[Any]]) -> None:
    for number, order in enumerate(persons()):
        act(people["anna"], add_note, order["order_id"], text=f"for {email_of(number)}")
        told = order | {"updated_at": "2026-05-01T00:00:00Z", "customer": {"erased": True}, "history": []}
        together(partial(factories.take_in, told), partial(note, people, number, order["order_id"]))
    assert rows_left() == {}


def test_while_a_mail_is_on_its_way(people: dict[str, int], together: Callable[..., list[Any]]) -> None:
    """What arrived is recorded as sent, what did not says that it was taken back; the deletion is never refused."""
    with mail_server() as server:
        server.on_data = lambda _: time.sleep(0.05)
        for number, order in enumerate(persons()):
            resend(people, number, order["order_id"])
            erased, _ = together(
                partial(erase, people, email_of(number), [order["order_id"]]),
                partial(send_due, server.url, SENDER),
            )
            assert isinstance(erased, str), erased
            [mail] = factories.mails(order["order_id"])
            arrived = bool(server.to(email_of(number)))
            assert (mail.state, mail.to_address) == ("sent" if arrived else "failed", None)
            taken = "Taken back: the customer's data was deleted."
            assert mail.last_error == (None if arrived else taken)
            lines = [
                line for line in factories.history(order["order_id"]) if line.startswith("Licence e-mail")
            ]
            assert lines == [
                "Licence e-mail has been sent to deleted (item 1, code 1)"
                if arrived
                else "Licence e-mail (item 1, code 1) was taken back: the customer's data was deleted."
            ]
    assert rows_left() == {}


def test_three_hundred_orders_beside_a_working_worker(people: dict[str, int]) -> None:
    made = [person(7) for _ in range(300)]
    factories.take_in(*made)
    ids = [order["order_id"] for order in made]
    for order_id in ids[:100]:
        resend(people, 7, order_id)
    stop = Event()
    with mail_server() as server, ThreadPoolExecutor(1) as pool:
        worker = pool.submit(send_due, server.url, SENDER, stop)
        while not server.accepted:
            time.sleep(0.01)
        started = time.monotonic()
        said = erase(people, email_of(7), ids)
        seconds = time.monotonic() - started
        stop.set()
        worker.result(60)  # and has not died
        assert said.startswith("The personal data was deleted from 300 orders.")
        states = Counter(row.state for row in run("SELECT state FROM mail WHERE kind = 'licence'"))
        assert states["sent"] == len(server.accepted) and states.total() == 100
    assert rows_left() == {}
    assert seconds < 20


def test_a_server_that_never_answers_does_not_stop_it(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is emptied when its hand-over has ended, and so is what the worker tells of it."""
    monkeypatch.setattr("services.privacy.erasure._WAIT_SECONDS", 0.3)
    [order, *_] = persons()
    resend(people, 0, order["order_id"])
    reached, go_on = Event(), Event()

    def hold(_: bytes) -> None:
        reached.set()
        go_on.wait(20)

    with mail_server() as server, ThreadPoolExecutor(1) as pool:
        server.on_data = hold
        worker = pool.submit(send_due, server.url.replace("timeout=2", "timeout=30"), SENDER)
        assert reached.wait(20)
        said = erase(people, email_of(0), [order["order_id"]])
        assert "1 mail was just being handed over and may arrive" in said
        go_on.set()
        worker.result(30)
    [mail] = factories.mails(order["order_id"])
    assert (mail.state, mail.to_address, mail.text_body, mail.html_body) == ("sent", None, "deleted", None)
    assert "Licence e-mail has been sent to deleted (item 1, code 1)" in factories.history(order["order_id"])
    [[left]] = run(
        "SELECT count(*) FROM order_history WHERE order_id = :id AND text LIKE '%@%'", id=order["order_id"]
    )
    assert left == 0
