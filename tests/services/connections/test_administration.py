"""Connections as administrators create, change and delete them."""

from collections.abc import Iterator
from typing import Any

import pytest

from db.connections.engine import jobs_transaction, viewer_transaction
from db.connections.viewers import SignedIn
from db.schema.connection_states import ConnectionKind, Purpose, Topic
from services.connections.administration import change_connection, change_secret
from services.connections.form import ConnectionForm
from services.connections.kinds import make_secret, make_secrets
from services.connections.listing import count_in_trouble
from services.connections.secrets import find_secrets
from services.connections.switching import delete_connection, switch_off, switch_on
from services.errors import Conflict, InvalidInput
from tests.services.connections.administering import administer, connect, listed
from tests.support import factories
from tests.support.factories import run


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    factories.account("anna", stores=["shop-a", "shop-b"])
    return factories.account("admin", role="administrator")


@pytest.fixture(autouse=True)
def no_connections(admin: SignedIn) -> Iterator[None]:
    yield
    run("DELETE FROM connection")


def secrets_of(connection_id: int, purpose: Purpose) -> tuple[str, ...]:
    with jobs_transaction() as connection:
        return find_secrets(connection, connection_id, purpose)


def audited() -> str:
    return repr(run("SELECT action, details FROM audit_log"))


def test_a_connection_has_an_address_secrets_and_no_traffic_yet(admin: SignedIn) -> None:
    made = make_secrets(ConnectionKind.WEBHOOKS, sends_out=True)
    shop = connect(admin, name="  Shop   EU ", confirms=True, secrets=made)
    assert (shop.name, shop.store, shop.confirms) == ("Shop EU", "shop-a", True)
    assert shop.address.endswith(f"/hooks/v1/{shop.key}") and len(shop.key) == 24
    assert shop.topics == (Topic.REFUNDS, Topic.SUBSCRIPTIONS)
    assert (dict(shop.received), shop.sent, shop.awaited, shop.in_trouble) == ({}, (0, 0, 0), 0, False)
    assert set(shop.secrets) == {Purpose.IN, Purpose.OUT}
    for purpose, secret in made.items():
        assert secrets_of(shop.id, purpose) == (secret,)


def test_no_secret_is_in_the_audit_log_or_in_an_answer(admin: SignedIn) -> None:
    made = make_secrets(ConnectionKind.WEBHOOKS, sends_out=True)
    shop = connect(admin, secrets=made, out_url="https://shop.example/hook?token=hidden")
    newer = make_secret(shop.kind)
    administer(admin, change_secret, shop.id, Purpose.OUT, secret=newer)
    told = audited() + repr(run("SELECT answer FROM action_key"))
    assert "https://shop.example/hook" in told
    for secret in (*made.values(), newer, "hidden"):
        assert secret not in told


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({"name": " "}, "name", "1 to 100 characters"),
        ({"out_url": "shop.example/hook"}, "out_url", "not a web address"),
        ({"out_url": "http://shop.example/hook"}, "out_url", "must begin with https://"),
        ({"out_url": "https://user:word@shop.example/"}, "out_url", "must not hold a name or a password"),
        ({"out_url": ""}, "out_url", "Give the address"),
        ({"out_url": "", "topics": [], "confirms": True}, "topics", "must be sent refunds or subscriptions"),
    ],
)
def test_what_cannot_be_used_is_refused_beside_its_field(
    admin: SignedIn, form: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refusal:
        connect(admin, **form)
    assert refusal.value.field == field
    assert listed(admin) == ()


def test_two_connections_of_a_store_do_not_confirm_the_same(admin: SignedIn) -> None:
    first = connect(admin, confirms=True)
    with pytest.raises(
        InvalidInput, match="The connection Shop confirms refunds of this store already"
    ) as refusal:
        connect(admin, name="Second", confirms=True, topics=[Topic.REFUNDS])
    assert refusal.value.field == "confirms"
    # One that is only told, one of another store, and one for what nobody waits for.
    told = connect(admin, name="Told", confirms=False)
    connect(admin, name="Other store", store="shop-b", confirms=True)
    connect(admin, name="Licences", topics=[Topic.LICENCES], confirms=True)
    as_first = ConnectionForm(name="Told", out_url="https://x.example", topics=[Topic.REFUNDS], confirms=True)
    with pytest.raises(InvalidInput, match="only one word can count"):
        administer(admin, change_connection, told.id, form=as_first)
    # A connection that is switched off confirms nothing, until it is switched on again.
    administer(admin, switch_off, first.id, gives_up=False)
    administer(admin, change_connection, told.id, form=as_first)
    with pytest.raises(InvalidInput, match="The connection Told confirms refunds"):
        administer(admin, switch_on, first.id)


def test_noventiq_carries_actions_out_only_with_its_user_name_and_password(admin: SignedIn) -> None:
    kind, secrets = ConnectionKind.NOVENTIQ, {Purpose.IN: " the key ", Purpose.API: ""}
    only_in = connect(admin, kind=kind, secrets=secrets)
    assert (only_in.topics, only_in.confirms) == ((), False)
    assert secrets_of(only_in.id, Purpose.IN) == ("the key",)
    acting: dict[str, Any] = {"topics": [Topic.REFUNDS, Topic.LICENCES]}
    with pytest.raises(InvalidInput) as refusal:
        connect(admin, kind=kind, secrets=secrets, **acting)
    assert refusal.value.field == "username"
    with pytest.raises(InvalidInput) as refusal:
        connect(admin, kind=kind, secrets=secrets, options={"username": "u"}, **acting)
    assert refusal.value.field == "api_secret"
    shop = connect(
        admin, kind=kind, secrets=secrets | {Purpose.API: "pw"}, options={"username": "u"}, **acting
    )
    assert (shop.topics, shop.confirms, shop.options["username"]) == ((Topic.REFUNDS,), True, "u")


def test_stripe_begins_with_a_dry_run_and_takes_only_stripes_keys(admin: SignedIn) -> None:
    with pytest.raises(InvalidInput, match="begins with sk_ or rk_"):
        connect(admin, kind=ConnectionKind.STRIPE, secrets={Purpose.API: "whsec_x"})
    shop = connect(admin, kind=ConnectionKind.STRIPE, secrets={Purpose.API: "rk_test_1"})
    assert (shop.options["dry_run"], shop.topics, shop.confirms) == (True, (Topic.REFUNDS,), True)
    administer(admin, change_secret, shop.id, Purpose.IN, secret="whsec_of_stripe")
    assert secrets_of(shop.id, Purpose.IN) == ("whsec_of_stripe",)


@pytest.mark.parametrize(
    ("key", "is_test"),
    [("sk_test_1", True), ("rk_test_1", True), ("sk_live_1", False), ("rk_live_test_1", False)],
)
def test_a_key_of_test_mode_is_recognised(admin: SignedIn, key: str, is_test: bool) -> None:
    secrets = {Purpose.IN: "whsec_of_stripe", Purpose.API: key}
    found = connect(admin, kind=ConnectionKind.STRIPE, secrets=secrets)
    assert (found.secrets[Purpose.API].is_test, found.secrets[Purpose.IN].is_test) == (is_test, False)


def test_the_older_secret_stays_valid_for_two_days(admin: SignedIn) -> None:
    shop = connect(admin)
    [before] = secrets_of(shop.id, Purpose.IN)
    newer = make_secret(shop.kind)
    said = administer(admin, change_secret, shop.id, Purpose.IN, secret=newer)
    assert said == "The connection Shop has a new secret. The one before it stays valid for 2 days."
    assert secrets_of(shop.id, Purpose.IN) == (newer, before)
    [after] = listed(admin)
    assert (
        after.secrets[Purpose.IN].older_until is not None and after.secrets[Purpose.OUT].older_until is None
    )
    run(
        "UPDATE connection_secret SET valid_until = now() - interval '1 second' WHERE valid_until IS NOT NULL"
    )
    assert secrets_of(shop.id, Purpose.IN) == (newer,)


def test_only_a_connection_that_is_switched_off_is_deleted(admin: SignedIn) -> None:
    shop = connect(admin)
    with pytest.raises(Conflict, match="Switch the connection off first"):
        administer(admin, delete_connection, shop.id)
    administer(admin, switch_off, shop.id, gives_up=False)
    [off] = listed(admin)
    assert off.switched_off_because == "Switched off by an administrator." and not off.in_trouble
    with pytest.raises(Conflict, match="switched off already"):
        administer(admin, switch_off, shop.id, gives_up=False)
    administer(admin, delete_connection, shop.id)
    assert listed(admin) == ()
    assert run("SELECT FROM connection_secret") == []


@pytest.mark.parametrize("ends", ["switched off", "deleted"])
def test_what_waits_for_a_connection_that_ends_can_be_done_again(admin: SignedIn, ends: str) -> None:
    shop = connect(admin, confirms=True)
    document = factories.document(checkout_page="shop-a")
    factories.take_in(document)
    run(
        "INSERT INTO awaited_action (id, connection_id, order_id, checkout_page_id, kind, subject, wish, account_name, "
        "account_email) VALUES (gen_random_uuid(), :id, :order, :store, 'cancel subscription', 'S1', '{}', 'n', 'e')",
        id=shop.id,
        order=document["order_id"],
        store=shop.store_id,
    )
    assert [connection.awaited for connection in listed(admin)] == [1]
    said = administer(admin, switch_off, shop.id, gives_up=ends == "switched off")
    if ends == "deleted":
        assert run("SELECT state FROM awaited_action") == [("recorded",)]
        said = administer(admin, delete_connection, shop.id)
    assert said.endswith("1 action that waited can be done again.")
    assert run("SELECT state FROM awaited_action") == [("not delivered",)]
    run("DELETE FROM awaited_action")


def test_trouble_and_what_others_switched_off_are_counted(admin: SignedIn) -> None:
    viewer = factories.viewer(admin)

    def counted() -> int:
        with viewer_transaction(viewer.account_id) as connection:
            return count_in_trouble(connection, viewer)

    shop = connect(admin)
    assert counted() == 0
    run("UPDATE connection SET trouble = 'The shop answered 500.', trouble_since = now()")
    assert counted() == 1 and listed(admin)[0].in_trouble
    administer(admin, switch_off, shop.id, gives_up=False)
    assert counted() == 0 and not listed(admin)[0].in_trouble
    run("UPDATE connection SET trouble = NULL, trouble_since = NULL, switched_off_because = 'Gone (410).'")
    assert counted() == 1 and listed(admin)[0].in_trouble


@pytest.mark.parametrize("way", ["another address", "switched on"])
def test_what_waited_is_tried_at_once_after_something_was_put_right(admin: SignedIn, way: str) -> None:
    shop = connect(admin)
    document = factories.document(checkout_page="shop-a")
    factories.take_in(document)
    run(
        "WITH e AS (INSERT INTO outbox_event (id, type, action_id, order_id, checkout_page_id, data) VALUES "
        "(gen_random_uuid(), 'refund.requested', gen_random_uuid(), :order, :store, '{}') RETURNING id, seq) "
        "INSERT INTO delivery (event_id, connection_id, order_id, seq, attempts, next_attempt_at) "
        "SELECT id, :id, :order, seq, 5, now() + interval '5 hours' FROM e",
        order=document["order_id"],
        store=shop.store_id,
        id=shop.id,
    )
    run("UPDATE connection SET trouble = 'x', trouble_since = now(), paused_until = now() + interval '1 day'")
    same = ConnectionForm(name="Shop", out_url=shop.out_url or "", topics=shop.topics)
    administer(admin, change_connection, shop.id, form=same)
    assert run("SELECT attempts FROM delivery") == [(5,)]
    if way == "another address":
        moved = ConnectionForm(name="Shop", out_url="https://new.example/hook", topics=shop.topics)
        administer(admin, change_connection, shop.id, form=moved)
    else:
        administer(admin, switch_off, shop.id, gives_up=False)
        administer(admin, switch_on, shop.id)
        assert run("SELECT FROM connection WHERE trouble IS NULL") == [()]
    assert run("SELECT attempts, next_attempt_at <= now() FROM delivery") == [(0, True)]
    assert run("SELECT FROM connection WHERE paused_until IS NULL") == [()]
