"""Messages at a shop over real HTTP: signed, answered, tried again, and given up."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret, new_secret
from services.delivery.dispatching import deliver_due
from services.delivery.outcomes import PAUSES, SWITCHED_OFF_BY_SHOP, Fate
from tests.services.delivery.support import (
    SECRET,
    connected_shop,
    deliveries,
    happen,
    make_due,
    pause,
    states,
    trouble,
)
from tests.support.factories import run
from tests.support.hook_control import HookReceiver
from tests.support.ports import free_port

# What goes out


def test_a_message_is_signed_and_says_what_happened(connected: int, shop: HookReceiver) -> None:
    [event_id] = happen(1, amount="49.00")
    assert deliver_due() == {Fate.DELIVERED: 1}
    [arrived] = shop.arrived()
    assert Webhook(SECRET).verify(arrived.body, arrived.headers) == arrived.json
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(arrived.body + " ", arrived.headers)
    assert (arrived.id, arrived.json["type"]) == (str(event_id), "refund.requested")
    assert arrived.json["data"] == {
        "action_id": str(event_id), "order_id": 1, "order_name": "A0000000001", "store": "shop-a", "request_id": 1,
        "amount": "49.00",
    }  # fmt: skip
    assert datetime.fromisoformat(arrived.json["timestamp"]).tzinfo is not None
    [row] = deliveries()
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, 204, None)
    assert trouble(connected).last_delivered_at is not None


def test_both_secrets_sign_during_a_rotation_and_the_older_one_ends(
    connected: int, shop: HookReceiver
) -> None:
    newer = new_secret()
    with jobs_transaction() as connection:
        add_secret(connection, connected, Purpose.OUT, newer)
    happen(1)
    deliver_due()
    [arrived] = shop.arrived()
    assert len(arrived.headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, newer):
        Webhook(secret).verify(arrived.body, arrived.headers)
    run("UPDATE connection_secret SET valid_until = now() - interval '1 s' WHERE valid_until IS NOT NULL")
    happen(1)
    deliver_due()
    last = shop.arrived()[-1]
    Webhook(newer).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(last.body, last.headers)


def test_a_message_that_nobody_could_verify_is_not_sent(connected: int, shop: HookReceiver) -> None:
    run("DELETE FROM connection_secret")
    happen(1)
    assert Fate.DELIVERED not in deliver_due()
    assert shop.arrived() == []
    assert trouble(connected).trouble == "The connection has no secret to sign with."


def test_connections_are_kept_open(connected: int, shop: HookReceiver) -> None:
    happen(*range(1, 81))
    assert deliver_due() == {Fate.DELIVERED: 80}
    arrived = shop.arrived()
    assert len({one.id for one in arrived}) == 80
    assert len({one.sender for one in arrived}) <= 16


# What the shop answers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int, connected: int, shop: HookReceiver) -> None:
    shop.always({"status": status})
    happen(1)
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert deliveries()[0].last_status == status


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 500, 502])
def test_anything_else_is_tried_again_and_no_redirect_is_followed(
    status: int, connected: int, shop: HookReceiver
) -> None:
    shop.always(
        {"status": status, "headers": {"Location": shop.url("/elsewhere")}, "body": "ines@example.com"}
    )
    happen(1)
    assert deliver_due() == {Fate.DEFERRED: 2}  # at once, and then again at once
    assert len(shop.arrived()) == 2
    assert shop.arrived("/elsewhere") == []
    [row] = deliveries()
    # What the shop writes may name a person, and is kept nowhere.
    assert (row.state, row.attempts, row.last_status) == ("waiting", 2, status)
    assert row.last_error == trouble(connected).trouble == f"The shop answered {status}."
    shop.always({})
    make_due()
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert len({one.id for one in shop.arrived()}) == 1
    assert (trouble(connected).trouble, trouble(connected).trouble_since) == (None, None)


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed_by_the_whole_connection(
    status: int, form: str, connected: int, shop: HookReceiver
) -> None:
    value = "60" if form == "seconds" else in_a_minute()
    shop.answer({"status": status, "headers": {"Retry-After": value}})
    happen(1)
    assert deliver_due() == {Fate.DEFERRED: 1}
    assert 55 < pause() <= 60
    happen(2)
    assert deliver_due() == {}
    run("UPDATE connection SET paused_until = now()")
    assert deliver_due() == {Fate.DELIVERED: 1}
    assert len(shop.arrived()) == 2


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e3", "Wed, 99 Foo 2026 00:00:00 GMT", "٣"])
def test_a_retry_after_that_means_nothing_is_none(value: str, connected: int, shop: HookReceiver) -> None:
    shop.always({"status": 503, "headers": {"Retry-After": value.encode().decode("latin-1")}})
    happen(1)
    assert deliver_due() == {Fate.DEFERRED: 2}
    assert trouble(connected).paused_until is None


def test_retry_after_counts_with_429_and_503_alone(connected: int, shop: HookReceiver) -> None:
    shop.always({"status": 500, "headers": {"Retry-After": "3600"}})
    happen(1)
    assert deliver_due() == {Fate.DEFERRED: 2}
    assert pause() < 6


def test_410_switches_the_connection_off_until_somebody_switches_it_on(
    connected: int, shop: HookReceiver
) -> None:
    shop.answer({"status": 410})
    happen(1, 1, 2)
    run("UPDATE delivery SET next_attempt_at = now() - interval '1 s' WHERE order_id = 1")
    while deliver_due():
        pass
    row = trouble(connected)
    assert row.switched_off_at is not None and row.switched_off_because == SWITCHED_OFF_BY_SHOP
    waited = states()["waiting"]
    assert waited >= 2  # the other order may have been under way
    [mail] = run("SELECT * FROM mail WHERE kind = 'connection'")
    assert mail.to_address == "admin@test.example" and "gone (410)" in mail.text_body
    run("UPDATE connection SET switched_off_at = NULL, switched_off_because = NULL")
    assert deliver_due() == {Fate.DELIVERED: waited}
    assert states() == {"delivered": 3}


# Patience


def test_pauses_grow_and_after_the_last_attempt_the_delivery_is_given_up(
    connected: int, shop: HookReceiver
) -> None:
    shop.always({"status": 500})
    [event_id] = happen(1)
    assert deliver_due() == {Fate.DEFERRED: 2}
    for seconds in PAUSES[1:]:
        assert 0.89 * seconds < pause() < 1.11 * seconds
        make_due()
        deliver_due()
    [row] = deliveries()
    assert (row.state, row.attempts) == ("failed", 1 + len(PAUSES))
    assert {one.id for one in shop.arrived()} == {str(event_id)}
    assert len(shop.arrived()) == 1 + len(PAUSES)


def give_up_once_more(shop: HookReceiver) -> None:
    shop.always({"status": 500})
    happen(1)
    run("UPDATE delivery SET attempts = 10 WHERE state = 'waiting'")
    assert deliver_due() == {Fate.FAILED: 1}


def test_administrators_are_mailed_once_and_again_after_a_day(
    connected: int, shop: HookReceiver, people: dict[str, int]
) -> None:
    for _ in range(2):
        give_up_once_more(shop)
    [mail] = run("SELECT * FROM mail")
    assert (mail.kind, mail.to_address) == ("connection", "admin@test.example")
    assert mail.subject == "Connection A connection of shop-a needs attention"
    assert "Last error: The shop answered 500." in mail.text_body and "shop-a" in mail.html_body
    shop.always({})
    happen(1)
    deliver_due()
    run("UPDATE connection SET reported_at = now() - interval '23 hours'")
    give_up_once_more(shop)
    assert len(run("SELECT 1 FROM mail")) == 1
    run("UPDATE connection SET reported_at = now() - interval '25 hours'")
    give_up_once_more(shop)
    assert len(run("SELECT 1 FROM mail")) == 2


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:{closed}/", "No connection could be made"),
        ("https://127.0.0.1:{shop}/hook", "No connection could be made"),  # it speaks no TLS
        ("https://192.168.0.1/", "The address leads into a private network"),
        ("http://shop.example/", "The address must begin with https://."),
    ],
)
def test_why_nothing_was_delivered(url: str, reason: str, connected: int, shop: HookReceiver) -> None:
    run("UPDATE connection SET out_url = :url", url=url.format(closed=free_port(), shop=shop.port))
    happen(1)
    assert deliver_due() == {Fate.DEFERRED: 2}
    assert str(deliveries()[0].last_error).startswith(reason)
    assert shop.arrived() == []


def test_a_slow_shop_holds_up_no_other(connected: int, shop: HookReceiver) -> None:
    connected_shop(shop.url("/quick"), "shop-b")
    shop.always({"delay": 0.5})
    happen(*range(1, 41))
    happen(101, store="shop-b")
    assert deliver_due() == {Fate.DELIVERED: 41}
    [quick] = shop.arrived("/quick")
    assert quick.at < min(arrived.at for arrived in shop.arrived()) + 0.4
