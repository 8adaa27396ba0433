"""Events at a shop over real HTTP: signed, in order, tried again, and given up."""

from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook

from db.connections.viewers import SignedIn
from db.schema.connection_states import Purpose
from services.connections.secrets import new_secret
from services.delivery.dispatching import deliver_due
from services.delivery.outcomes import Fate
from tests.services.connections.administering import connect
from tests.services.delivery.support import deliveries, happen
from tests.support import factories
from tests.support.factories import run
from tests.support.hook_control import HookReceiver, hook_receiver

SECRET = new_secret()


@pytest.fixture(scope="module")
def shop() -> Iterator[HookReceiver]:
    with pytest.MonkeyPatch.context() as patch, hook_receiver() as running:
        patch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
        yield running


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    factories.take_in(factories.document(order_id=1))
    return factories.account("admin", role="administrator")


@pytest.fixture
def connected(admin: SignedIn, shop: HookReceiver) -> int:
    """The only connection, and nothing in the outbox."""
    run("DELETE FROM connection")
    run("DELETE FROM outbox_event")
    run("DELETE FROM mail")
    shop.forget()
    secrets = {Purpose.IN: new_secret(), Purpose.OUT: SECRET}
    return connect(admin, out_url=shop.url(), secrets=secrets).id


def test_a_message_is_signed_and_says_what_happened(connected: int, shop: HookReceiver) -> None:
    [event_id] = happen(1, amount="49.00")
    assert deliver_due() == {Fate.DELIVERED: 1}
    [arrived] = shop.arrived()
    assert Webhook(SECRET).verify(arrived.body, arrived.headers) == arrived.json
    assert arrived.id == str(event_id)
    assert arrived.json["type"] == "refund.requested"
    assert arrived.json["data"] == {
        "action_id": str(event_id), "order_id": 1, "order_name": "A0000000001", "store": "shop-a", "request_id": 1,
        "amount": "49.00",
    }  # fmt: skip
    [row] = deliveries()
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, 204, None)
