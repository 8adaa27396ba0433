"""A team, and a mail server of their own for each test."""

from collections.abc import Iterator

import pytest

from tests.services.delivery.support import connected_shop
from tests.support import factories
from tests.support.factories import document, run
from tests.support.hook_control import HookReceiver, hook_receiver
from tests.support.mail_server import MailServer, mail_server


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
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def shop() -> Iterator[HookReceiver]:
    """A shop that takes events, in a process of its own."""
    with pytest.MonkeyPatch.context() as patch, hook_receiver() as running:
        patch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
        yield running


@pytest.fixture
def connected(people: dict[str, int], shop: HookReceiver) -> int:
    """The only connection, which sends refunds and subscriptions to the shop; no event and no mail."""
    for table in ("connection", "outbox_event", "mail"):
        run(f"DELETE FROM {table}")
    shop.forget()
    return connected_shop(shop.url())
