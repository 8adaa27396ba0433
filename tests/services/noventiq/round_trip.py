"""From here to the vendor and back: a portal whose hooks are served, a vendor that knows their address, and people."""

import itertools
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from pages.web.hooks import HOOK_ROUTES
from services.delivery.dispatching import deliver_due
from services.delivery.incoming import apply_incoming
from tests.services.noventiq.shop import Hook, items_of, make_due, order_row
from tests.support import factories
from tests.support.factories import run
from tests.support.noventiq import FakeNoventiq, Json, connection_of, order, product
from tests.support.served_app import served_app

numbers = itertools.count(600_001)
PAID = "2026-11-01T10:00:00+03:00"
# Later than anything that is recorded here: the vendor's clock.
LATER = "2099-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def hook(database: str, process: FakeNoventiq) -> Hook:
    return Hook(*connection_of("shop-r", api_url=process.url, refund_email="us@merchant.example"))


@pytest.fixture(scope="module")
def people(hook: Hook) -> dict[str, int]:
    return {
        "anna": factories.account("anna", stores=["shop-r"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-r"]),
    }


@pytest.fixture(scope="module")
def port(hook: Hook) -> Iterator[int]:
    with served_app(Starlette(routes=HOOK_ROUTES)) as port:
        yield port


@pytest.fixture
def shop(vendor: FakeNoventiq, hook: Hook, port: int) -> FakeNoventiq:
    """The vendor, whose webhooks come to this portal, and nothing on its way to it."""
    run("DELETE FROM outbox_event")
    vendor.control("set", hook_url=f"http://127.0.0.1:{port}/hooks/v1/{hook.key}")
    return vendor


def bought(
    shop: FakeNoventiq, hook: Hook, *, status: str = "active", email: str = "marcel@example.com"
) -> Json:
    """A paid order of two products, the first with an AR subscription; it came by its webhooks."""
    number = next(numbers)
    renewal = {"id": f"{number}_1", "type": "AR", "status": status}
    made = order(number, product(1, subscription=renewal), product(2), status="paid", pay_date=PAID)
    made["customer"]["email"] = email
    shop.control("order", **made)
    assert shop.send(number, "order.payment.succeeded") == 202
    work()
    assert order_row(number).status == "paid" and len(items_of(number)) == 2
    return made


def work() -> None:
    make_due()
    run("UPDATE delivery SET next_attempt_at = now() WHERE state = 'waiting'")
    deliver_due()
    apply_incoming()
