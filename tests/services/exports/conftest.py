"""An order of every kind of text that a file has to carry, and an account that sees it."""

import pytest

from tests.services.exports.support import NAMES
from tests.support import factories
from tests.support.factories import document, item


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(
        *(
            document(
                order_id=n,
                order_id_1c=f"0{n}",
                customer={"first_name": name, "company_name": name, "phone": "+49 30 1"},
                create_date=f"2026-03-{n:02}T00:30:00Z",
                items=[
                    item(name=name, activation_codes=[{"code": name}]),
                    item(item_id="b", amount="1234567.89"),
                ],
            )
            for n, name in enumerate(NAMES, 1)
        ),
        document(order_id=500, checkout_page="shop-b"),
    )
    return factories.account("anna", stores=["shop-a"])
