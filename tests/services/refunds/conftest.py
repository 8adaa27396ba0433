"""A team with refund operators, and an order of another store."""

import pytest

from tests.support import factories
from tests.support.factories import document, run


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1, checkout_page="shop-b"))
    run(
        "INSERT INTO payment_method (name, refund_document_required) VALUES ('WireTransfer', true), ('Card', false)"
    )
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "otto": factories.account("otto", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
    }
