"""A signed request to try a help desk's connection with."""

import pytest

from db.connections.engine import viewer_transaction
from db.schema.connection_states import ConnectionKind
from services.errors import Conflict
from services.helpdesk.customer import WRONG_SIGNATURE, HelpDeskCustomer, look_up
from services.helpdesk.trial import sign_request
from tests.services.connections.administering import connect
from tests.support import factories
from tests.support.factories import run


def test_the_example_is_answered_and_another_body_is_not(database: str) -> None:
    factories.account("anna", stores=["shop-a"])
    admin = factories.account("admin", role="administrator")
    viewer = factories.viewer(admin)
    desk, shop = connect(admin, kind=ConnectionKind.HELP_DESK), connect(admin)
    with viewer_transaction(admin) as connection:
        example = sign_request(connection, viewer, desk.id, address=None)
        with pytest.raises(Conflict, match="no requests of a help desk"):
            sign_request(connection, viewer, shop.id, address=None)
    assert example.address == desk.address
    headers = {name.lower(): value for name, value in example.headers.items()}
    answer = look_up(desk.key, headers, example.body.encode(), address=None)
    assert isinstance(answer, HelpDeskCustomer) and answer.orders == 0
    other = example.body.replace("customer@", "somebody@")
    assert look_up(desk.key, headers, other.encode(), address=None) == WRONG_SIGNATURE
    assert run("SELECT details ->> 'example' FROM audit_log WHERE action = 'test connection'") == [("true",)]
