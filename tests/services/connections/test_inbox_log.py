"""What arrived by a connection, as administrators see it and apply it again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from db.connections.engine import viewer_transaction
from db.connections.viewers import SignedIn
from db.schema.connection_states import InboxState
from services.connections.inbox_log import (
    LoggedMessage,
    find_messages,
    get_message,
    replay_message,
    replay_messages,
)
from services.connections.masking import masked_body
from services.errors import Conflict, InvalidInput
from tests.services.connections.administering import administer, connect, listed
from tests.support import factories
from tests.support.factories import run


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    factories.account("anna", stores=["shop-a"])
    return factories.account("admin", role="administrator")


@pytest.fixture(scope="module")
def connection_id(admin: SignedIn) -> int:
    return connect(admin).id


@pytest.fixture(autouse=True)
def empty_inbox(admin: SignedIn) -> Iterator[None]:
    yield
    run("DELETE FROM inbox")


def arrived(connection_id: int | None, *states: str, body: str | None = '{"type": "x"}') -> list[int]:
    """Messages in these states, one minute apart; the last one has just arrived."""
    return [
        run(
            "INSERT INTO inbox (connection_id, event_id, type, body, state, settled_at, reason, received_at) "
            "VALUES (:id, gen_random_uuid()::text, 'order.upserted', CAST(:body AS bytea), CAST(:state AS text), "
            "CASE WHEN :state <> 'waiting' THEN now() END, 'why', now() - make_interval(mins => :ago)) RETURNING id",
            id=connection_id,
            body=None if body is None else body.encode(),
            state=state,
            ago=len(states) - number,
        )[0][0]
        for number, state in enumerate(states, 1)
    ]


def messages(admin: SignedIn, connection_id: int | None, **named: object) -> tuple[LoggedMessage, ...]:
    viewer = factories.viewer(admin)
    with viewer_transaction(viewer.account_id) as connection:
        return find_messages(connection, viewer, connection_id, **named)  # type: ignore[arg-type]


def test_newest_first_by_state_and_page(admin: SignedIn, connection_id: int) -> None:
    ids = arrived(connection_id, "refused", "applied", "refused", "waiting")
    [direct] = arrived(None, "applied")
    assert [message.id for message in messages(admin, connection_id)] == ids[::-1]
    assert [message.id for message in messages(admin, connection_id, state=InboxState.REFUSED)] == [
        ids[2],
        ids[0],
    ]
    assert [message.id for message in messages(admin, connection_id, before=ids[2], limit=1)] == [ids[1]]
    assert [message.id for message in messages(admin, None)] == [direct]
    [counted] = [connection.received for connection in listed(admin) if connection.id == connection_id]
    assert counted == {InboxState.REFUSED: 2, InboxState.APPLIED: 1, InboxState.WAITING: 1}


def test_a_body_is_masked_and_its_reading_recorded(admin: SignedIn, connection_id: int) -> None:
    body = '{"type": "order.upserted", "data": {"order_id": 5, "customer": {"email": "ines@example.com"}}}'
    [message_id] = arrived(connection_id, "applied", body=body)
    viewer = factories.viewer(admin)
    with viewer_transaction(viewer.account_id) as connection:
        opened = get_message(connection, viewer, message_id, address=None)
    assert opened.size == len(body) and opened.body is not None
    assert '"email": "•••"' in opened.body and '"order_id": 5' in opened.body and "ines" not in opened.body
    assert run("SELECT count(*) FROM audit_log WHERE action = 'open message'") == [(1,)]


def test_one_message_is_applied_again(admin: SignedIn, connection_id: int) -> None:
    [message_id] = arrived(connection_id, "refused")
    assert administer(admin, replay_message, message_id) == "The message will be applied again."
    [message] = messages(admin, connection_id)
    assert (message.state, message.reason, message.settled_at, message.attempts) == (
        InboxState.WAITING,
        None,
        None,
        0,
    )
    with pytest.raises(Conflict, match="waits to be applied already"):
        administer(admin, replay_message, message_id)


def test_a_message_without_its_body_is_not_applied_again(admin: SignedIn, connection_id: int) -> None:
    [message_id] = arrived(connection_id, "applied", body=None)
    with pytest.raises(Conflict, match="was removed"):
        administer(admin, replay_message, message_id)
    viewer = factories.viewer(admin)
    with viewer_transaction(viewer.account_id) as connection:
        opened = get_message(connection, viewer, message_id, address=None)
    assert (opened.size, opened.body) == (None, None)


def test_a_range_is_applied_again_by_state_and_time(admin: SignedIn, connection_id: int) -> None:
    ids = arrived(connection_id, "refused", "applied", "refused", "refused")
    arrived(None, "refused")
    now = datetime.now(UTC)
    named = {
        "states": [InboxState.REFUSED],
        "since": now - timedelta(seconds=150),
        "until": now + timedelta(hours=1),
    }
    said = administer(admin, replay_messages, connection_id, **named)
    assert said == "2 messages will be applied again."
    assert [message.id for message in messages(admin, connection_id, state=InboxState.WAITING)] == [
        ids[3],
        ids[2],
    ]
    with pytest.raises(Conflict, match="no such message in this time"):
        administer(admin, replay_messages, connection_id, **named)
    for wrong, field in (({"states": [InboxState.WAITING]}, "states"), ({"until": named["since"]}, "until")):
        with pytest.raises(InvalidInput) as refusal:
            administer(admin, replay_messages, connection_id, **named | wrong)
        assert refusal.value.field == field


def test_masking_shows_names_of_fields_and_what_names_nobody() -> None:
    masked = masked_body(
        b'{"id": "evt_1", "event": "order.created", "order_id": 5, "ok": true, "none": null, "empty": "",'
        b' "customer": {"name": "Ines", "id": "7", "first_name": "Ines"}, "unheard_of": ["a", 1],'
        b' "items": [{"name": "Antivirus", "licensee": {"name": "Ines"}, "additional_data":'
        b' [{"name": "VAT", "value": "PT1"}], "subscription": {"id": "S1"}}]}'
    )
    assert masked is not None
    for shown in ('"id": "evt_1"', '"order.created"', "5", "true", "null", '""', "Antivirus", '"id": "S1"'):
        assert shown in masked
    for hidden in ("Ines", '"7"', '"a"', "VAT", "PT1"):
        assert hidden not in masked
    assert masked_body(b"\xff") is None and masked_body(b"not json") is None
    long = masked_body(b"[" + b",".join([b"1"] * 5000) + b"]")
    assert long is not None and long.endswith("more lines")
