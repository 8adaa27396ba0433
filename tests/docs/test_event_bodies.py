"""The fields of each event in docs/connections.md, held against events that actions really write."""

import re
from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from db.schema.connection_states import Topic
from services.actions import ActionRequest, perform
from services.events.event_types import EventType
from services.order_actions.cancellation import cancel_unpaid_order
from services.order_actions.customer_email import correct_email
from services.order_actions.licences import resend_licence
from services.order_actions.reissue import ask_for_reissue, reissue_licence
from services.order_actions.subscriptions import cancel_subscription, resume_subscription
from services.privacy.erasure import erase_personal_data, preview_erasure
from services.refunds.processing import fail_request, refuse_request
from tests.docs.test_connections_page import PAGE, messages
from tests.services.refunds.support import fulfil, order, requested
from tests.support import factories
from tests.support.documentation import text_of
from tests.support.factories import act, item, run

ABOUT = {"action_id", "order_id", "order_name", "store"}


def documented() -> dict[str, set[str]]:
    """The fields that the page names for each type, beside the four that all have."""
    rows = text_of(PAGE).split("| type | further fields of `data` |", 1)[1].split("\n\n")[0].splitlines()[2:]
    fields = {}
    for row in rows:
        types, named = (re.sub(r"\([^)]*\)", "", cell) for cell in row.split("|")[1:3])
        for type_ in re.findall(r"`([\w.]+)`", types):
            fields[type_] = set(re.findall(r"`(\w+)`", named.split(":")[0]))
    return fields


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(factories.document())
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }


def connect(*, confirms: bool) -> None:
    run(
        "UPDATE connection SET switched_off_at = now(), switched_off_because = 'x' WHERE switched_off_at IS NULL"
    )
    run(
        "INSERT INTO connection (checkout_page_id, kind, name, key, out_url, topics, confirms) "
        "SELECT id, 'webhooks', 'Shop', 'c_' || lpad(CAST(:number AS text), 22, '0'), 'https://shop.example/', "
        ":topics, :confirms FROM checkout_page WHERE name = 'shop-a'",
        number=int(confirms), topics=[topic.value for topic in Topic], confirms=confirms,
    )  # fmt: skip


def sold(**given: object) -> int:
    return order(items=[item(
        item_id="1", activation_codes=[{"code": "AAAA-BBBB"}],
        subscription={"id": f"S{len(run('SELECT order_id FROM orders'))}", "type": "AR", "status": "active"},
    )], **given)  # fmt: skip


def test_each_event_has_the_fields_that_the_page_names(people: dict[str, int]) -> None:
    connect(confirms=False)
    act(people["anna"], cancel_subscription, renewing := sold(), position=1)
    act(people["anna"], resume_subscription, renewing, position=1)
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=renewing)
    act(people["anna"], resend_licence, renewing, code_id=code_id)
    act(people["anna"], reissue_licence, renewing, code_id=code_id, new_code="NEW", reason="x")
    act(people["anna"], cancel_unpaid_order, order(status="not paid", pay_date=None), reason="x")
    act(people["anna"], correct_email, renewing, email="other@example.com", expected="ines@example.com")
    act(people["rita"], refuse_request, requested(people, sold(), taken_by="rita"), note="No.")
    act(people["rita"], fail_request, requested(people, sold(), taken_by="rita"), note="The card is closed.")
    fulfil(people, requested(people, sold(), taken_by="rita"))
    with viewer_transaction(people["admin"]) as connection:
        preview = preview_erasure(connection, factories.viewer(people["admin"]), email="other@example.com")
    request = ActionRequest(key=uuid4(), address=None)
    perform(
        factories.viewer(people["admin"]), request, erase_personal_data,
        email="other@example.com", expected=preview.parts,
    )  # fmt: skip
    connect(confirms=True)
    fulfil(people, requested(people, sold(), taken_by="rita"))
    asking = sold()
    [[code_id]] = run("SELECT id FROM activation_code WHERE order_id = :id", id=asking)
    act(people["anna"], ask_for_reissue, asking, code_id=code_id, reason="x")

    written = {row.type: set(row.data) - ABOUT for row in run("SELECT type, data FROM outbox_event")}
    assert set(written) == set(EventType)
    assert all(set(row.data) >= ABOUT for row in run("SELECT data FROM outbox_event"))
    assert written == documented()


def test_the_examples_have_the_fields_that_the_page_names() -> None:
    fields = documented()
    examples = [message for message in messages() if message["type"] in fields]
    assert {message["type"] for message in examples} == {"subscription.cancel_requested", "refund.completed"}
    for message in examples:
        assert set(message["data"]) == ABOUT | fields[message["type"]]
