"""Noventiq for tests: its process, orders as it has them, its messages, and a connection of a store to it."""

import hashlib
import json
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret
from tests.support.factories import run
from tests.support.ports import free_port

# Any: JSON as the vendor may send it.
Json = dict[str, Any]
SECRET = "secret_key"


@dataclass(frozen=True, slots=True)
class FakeNoventiq:
    """A running fake; `url` is what a connection has as `api_url`."""

    url: str

    def control(self, command: str, **body: Any) -> Json:
        request = urllib.request.Request(
            f"{self.url}/control/{command}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            answer: Json = json.load(response)
            return answer

    def calls(self, part: str = "") -> list[Json]:
        """What it was asked so far, of the paths with this part."""
        return [call for call in self.control("state")["calls"] if part in call["path"]]

    def send(self, order_id: int, event: str, *, index: int = 0, **changes: Any) -> int:
        """Let it send a webhook about a product of an order; the status of the answer."""
        answer = self.control("hook", order_id=order_id, event=event, index=index, changes=changes)
        return int(answer["status"])


@contextmanager
def fake_noventiq() -> Iterator[FakeNoventiq]:
    """A fake of its own process, ended afterwards."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.noventiq_server", str(port)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield FakeNoventiq(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


def connection_of(
    store: str, *, api_url: str | None = None, password: str = "1234", **options: Any
) -> tuple[int, str]:
    """A Noventiq connection of the store, made if missing: its ID and its key. With `api_url` it may act by the API."""
    key = f"c_{secrets.token_urlsafe(16)}"
    run("INSERT INTO checkout_page (name) VALUES (:store) ON CONFLICT DO NOTHING", store=store)
    if api_url is not None:
        options = {"username": "merchant", "api_url": api_url} | options
    topics = "{refunds,subscriptions}" if api_url is not None else "{}"
    [[connection_id]] = run(
        "INSERT INTO connection (checkout_page_id, kind, name, key, topics, confirms, options) "
        "SELECT id, 'noventiq', 'Noventiq', :key, cast(:topics AS text[]), :confirms, cast(:options AS jsonb) "
        "FROM checkout_page WHERE name = :store RETURNING id",
        key=key, topics=topics, confirms=api_url is not None, options=json.dumps(options), store=store,
    )  # fmt: skip
    with jobs_transaction() as connection:
        add_secret(connection, connection_id, Purpose.IN, SECRET)
        if api_url is not None:
            add_secret(connection, connection_id, Purpose.API, password)
    return int(connection_id), key


def product(number: int = 1, **fields: Any) -> Json:
    """A product as the vendor's messages have it: strings for numbers."""
    return {
        "id": f"{number}11111",
        "vendor_code": f"000{number}",
        "sku": f"SKU-{number}",
        "business_segment": "b2c",
        "name": f"Product {number}",
        "price": "100.00",
        "quantity": 1,
        "discount_percent": "",
        "discount_amount": "",
        "vat_amount": "0.00",
        "amount": "100.00",
        "margin": "90.00",
    } | fields


def order(order_id: int, *products: Json, **fields: Any) -> Json:
    """An order as the vendor's API has it."""
    return {
        "order_id": order_id,
        "order_name": f"A{order_id:010}",
        "status": "not paid",
        "external_id": "",
        "create_date": "2026-11-01T09:00:00+03:00",
        "pay_date": "",
        "currency": "EUR",
        "locale": "en_EN",
        "order_detail_url": f"https://shop.example.com/order/status/{order_id}/1a97507",
        "customer": {
            "country": "FR",
            "type": "physical",
            "email": "marcel@example.com",
            "first_name": "Marcel",
            "last_name": "Laporte",
            "phone": "",
            "vat_number": "",
            "company_name": "",
            "company_billing_address": "",
            "company_delivery_address": "",
        },
        "payment": {
            "payment_method": "CreditCard",
            "payment_system_name": "Bank Card",
            "card_type": "",
            "card_last_4": None,
            "card_expiration_date": "",
            "is_card_expired": False,
            "is_installment_payment": False,
        },
        "products": list(products) or [product()],
    } | fields


def message(order_: Json, event: str, *, index: int = 0, **fields: Any) -> Json:
    """The webhook about a product of this order."""
    made = {key: value for key, value in order_.items() if key != "products"}
    bought = dict(order_["products"][index])
    subscription = bought.pop("subscription", None)
    made |= {
        "event": event,
        "event_date": "2026-11-01T09:00:00+03:00",
        "product": bought,
        "document_part": f"{index + 1}-of-{len(order_['products'])}",
    }
    if subscription is not None:
        made["subscription"] = {"id": subscription["id"]}
    return made | fields


def signature_of(message_: Json, secret: str = SECRET) -> str:
    """By the vendor's rule, and not by the code under test."""
    fields = (
        *(secret, message_["event"], str(message_["order_id"]), message_["create_date"]),
        *(message_["payment"]["payment_method"], message_["currency"], message_["customer"]["email"]),
    )
    return hashlib.sha512(";".join(fields).encode()).hexdigest()
