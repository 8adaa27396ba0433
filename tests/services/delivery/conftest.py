"""A team, and a mail server of their own for each test."""

from collections.abc import Iterator

import pytest

from tests.support import factories
from tests.support.factories import document, run
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
