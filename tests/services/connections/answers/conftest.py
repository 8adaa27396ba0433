"""A team with a refund operator, and a shop that confirms."""

import pytest

from tests.services.connections.answers.support import STORE
from tests.support import factories
from tests.support.connected import connect
from tests.support.factories import run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    run("INSERT INTO payment_method (name, refund_document_required) VALUES ('WireTransfer', true)")
    stores = [STORE, "moved"]
    return {
        "anna": factories.account("anna", stores=stores),
        "rita": factories.account("rita", role="refund_operator", stores=stores),
        "otto": factories.account("otto", role="refund_operator", stores=stores),
    }


@pytest.fixture(scope="module")
def shop(people: dict[str, int]) -> int:
    return connect(STORE, confirms=True)
