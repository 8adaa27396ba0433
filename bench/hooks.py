"""Connections: how fast messages are taken in and merged, and events delivered.

Shops, people, web server, worker and database share the machine, as they would on a small server.
"""

import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import text

from bench.crowd import crowd
from bench.imports import documents
from bench.orders import SEEN
from bench.portal import PROJECT, cookies, served, wait_for
from bench.results import Row, p95, yes
from bench.searches import searches
from bench.senders import Sending, message, receiving_shop, send_steadily
from bench.tab import opened
from db.connections import engine
from db.connections.engine import jobs_transaction
from db.schema.connection_states import Purpose
from services.connections.secrets import add_secret, new_secret
from services.delivery.dispatching import deliver_due
from services.delivery.incoming import apply_incoming
from services.events.event_types import EventType
from services.events.outbox import Subject, publish
from services.orders.filters import SearchInput
from tests.support.ports import free_port

CONNECTIONS = PEOPLE = 50
_SECONDS = 20.0
_MOST = 2_000
_ARRIVALS = 20
_SHARE = 3  # of the documents at hand, those of the first store are more than this part
_HOOK_HOSTS = "ESUPPORT_HOOK_HOSTS"


def measure(_: int, account_id: int) -> list[Row]:
    """A row for each of the four ways. Raises `AssertionError` when something did not arrive."""
    lines = documents().decode().splitlines()
    rows = [applying(lines[:_MOST]), delivering(_MOST)]
    with portal_and_worker() as url, hook_server() as hooks_url:
        last = -(_ARRIVALS + 1) * _SHARE
        middle = (_MOST + len(lines) + last) // 2
        return [
            *rows,
            receiving(url, url, lines[_MOST:middle], by="the web server"),
            receiving(url, hooks_url, lines[middle:last], by="the hook server"),
            arriving(url, lines[last:]),
        ]


@contextmanager
def portal_and_worker() -> Iterator[str]:
    """The web server's address; the worker runs in a process of its own, without a mail server."""
    environment = {name: value for name, value in os.environ.items() if name != "SMTP_URL"}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.mail"], cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        with served() as portal:
            yield portal.url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def hook_server() -> Iterator[str]:
    """The address of a process of its own for messages, as ESUPPORT_HOOKS_PORT starts it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "pages.web.hook_server"],
        cwd=PROJECT,
        env=os.environ | {"ESUPPORT_HOOKS_PORT": str(port)},
    )
    url = f"http://localhost:{port}"
    try:
        wait_for(f"{url}/health", process)
        yield url
    finally:
        process.terminate()
        process.wait()


def receiving(
    url: str,
    hooks_url: str,
    lines: Sequence[str],
    *,
    by: str,
    people: int = PEOPLE,
    seconds: float = _SECONDS,
    lead: float = 5.0,
) -> Row:
    """The time to an answer while each of the connections sends once a second and people search at `url`.

    `lead` is how long the people search before the first message.
    """
    sendings = _sendings(CONNECTIONS, lines)
    with engine.owner_engine().begin() as connection:
        wanted = [search.typed for about in searches(connection).values() for search in about]
    crowd(url, cookies(1), wanted, seconds=2, every=0.1)  # fills the caches
    searching = threading.Thread(
        target=crowd,
        args=(url, cookies(people), wanted),
        kwargs={"seconds": seconds + 2 * lead, "every": 2.0},
    )
    searching.start()
    time.sleep(lead)  # everybody has loaded the page
    answers = send_steadily(hooks_url, sendings, seconds=seconds, every=1.0)
    searching.join()
    wrong = [answer.status for answer in answers if answer.status not in (200, 202)]
    assert not wrong, f"{len(wrong)} messages were refused: {sorted(set(wrong))}"
    times = [answer.seconds * 1000 for answer in answers]
    return {
        "what": f"the answer by {by}, {CONNECTIONS} connections sending while {people} people search",
        "number": len(times),
        "p50, ms": statistics.median(times),
        "p95, ms": p95(times),
        "target": "p95 of 20 ms",
        "target met": yes(p95(times) <= 20),
    }


def applying(lines: Sequence[str]) -> Row:
    """How many orders one worker merges per second from an inbox that is full."""
    sendings = _sendings(len(SEEN), lines)
    with jobs_transaction() as connection:
        for sending in sendings:
            connection_id = _connection_id(sending.key)
            connection.execute(
                text(
                    "INSERT INTO inbox (connection_id, event_id, type, order_id, occurred_at, body) "
                    "VALUES (:connection, :event, 'order.upserted', (CAST(:document AS jsonb) ->> 'order_id')::bigint, "
                    "now(), convert_to(:body, 'UTF8'))"
                ),
                [
                    {
                        "connection": connection_id,
                        "event": uuid4().hex,
                        "document": document,
                        "body": message(sending.secret, document)[0].decode(),
                    }
                    for document in sending.documents
                ],
            )
    number = sum(len(sending.documents) for sending in sendings)
    start = time.perf_counter()
    settled = apply_incoming()
    seconds = time.perf_counter() - start
    applied = _count("SELECT count(*) FROM inbox WHERE state = 'applied'")
    assert settled == number == applied, f"{applied} of {number} messages were applied."
    return {
        "what": "orders merged by one worker",
        "number": number,
        "per second": number / seconds,
        "target": "500 per second",
        "target met": yes(number / seconds >= 500),
    }


def arriving(url: str, lines: Sequence[str]) -> Row:
    """The time from a shop's message until a search shows its order on a page."""
    sendings = _sendings(1, lines)
    times = asyncio.run(_arrive(url, sendings[0]))
    return {
        "what": "from the shop's message to the order on a page",
        "number": len(times),
        "p50, ms": statistics.median(times),
        "p95, ms": p95(times),
        "target": "p95 of 1,000 ms",
        "target met": yes(p95(times) <= 1000),
    }


async def _arrive(url: str, sending: Sending) -> list[float]:
    times = []
    async with opened(url, cookies(1)[0]) as tab:
        # The first waits for a worker that is still starting, and is not counted.
        for document in sending.documents[: _ARRIVALS + 1]:
            wanted = SearchInput(order_ids=str(json.loads(document)["order_id"]))
            one = Sending(sending.key, sending.secret, (document,))
            await asyncio.sleep(0.3)  # the worker has nothing to do, and sleeps
            start = time.perf_counter()
            [answer] = await asyncio.to_thread(_send_once, url, one)
            assert answer == 202, f"The message was answered {answer}."
            while (await tab.search(wanted)).count != 1:
                assert time.perf_counter() - start < 30, "The order did not arrive."
            times.append((time.perf_counter() - start) * 1000)
    return times[1:]


def _send_once(url: str, sending: Sending) -> list[int]:
    body, headers = message(sending.secret, sending.documents[0])
    request = urllib.request.Request(f"{url}/hooks/v1/{sending.key}", body, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return [response.status]


def delivering(number: int) -> Row:
    """How many events one worker delivers per second to one shop, each of an order of its own."""
    with receiving_shop() as address, _allowing_this_machine():
        [sending] = _sendings(1, [], out_url=address)
        with jobs_transaction() as connection:
            store = connection.execute(
                text(
                    "SELECT p.id, p.name FROM connection c JOIN checkout_page p ON p.id = c.checkout_page_id "
                    "WHERE c.key = :key"
                ),
                {"key": sending.key},
            ).one()
            orders = connection.execute(
                text("SELECT order_id, order_name FROM orders WHERE checkout_page_id = :store LIMIT :number"),
                {"store": store.id, "number": number},
            ).all()
            for order in orders:
                subject = Subject(order.order_id, order.order_name, store.id, store.name)
                publish(connection, EventType.REFUND_REQUESTED, subject, data={"request_id": order.order_id})
        start = time.perf_counter()
        deliver_due()
        seconds = time.perf_counter() - start
    delivered = _count("SELECT count(*) FROM delivery WHERE state = 'delivered'")
    assert delivered == len(orders), f"{delivered} of {len(orders)} events were delivered."
    with jobs_transaction() as connection:  # the other parts send none
        connection.execute(text("UPDATE connection SET out_url = NULL, topics = '{}'"))
    return {
        "what": "events delivered by one worker to one shop",
        "number": delivered,
        "per second": delivered / seconds,
        "target": "200 per second",
        "target met": yes(delivered / seconds >= 200),
    }


def _sendings(number: int, lines: Sequence[str], *, out_url: str | None = None) -> list[Sending]:
    """New connections of the stores in turn, each with its share of its store's documents."""
    made = []
    for index in range(number):
        store, secret, key = SEEN[index % len(SEEN)], new_secret(), f"c_{secrets.token_urlsafe(16)}"
        with jobs_transaction() as connection:
            connection_id = connection.execute(
                text(
                    "INSERT INTO connection (checkout_page_id, kind, name, key, out_url, topics) "
                    "SELECT id, 'webhooks', 'Bench', :key, :out_url, :topics FROM checkout_page WHERE name = :store "
                    "RETURNING id"
                ),
                {"key": key, "out_url": out_url, "store": store, "topics": ["refunds"] if out_url else []},
            ).scalar_one()
            for purpose in (Purpose.IN, Purpose.OUT):
                add_secret(connection, connection_id, purpose, secret)
        own = [line for line in lines if f'"checkout_page": "{store}"' in line]
        share = len(range(index % len(SEEN), number, len(SEEN)))
        made.append(Sending(key, secret, tuple(own[index // len(SEEN) :: share])))
    return made


def _connection_id(key: str) -> int:
    return _count("SELECT id FROM connection WHERE key = :key", key=key)


def _count(statement: str, **values: object) -> int:
    with jobs_transaction() as connection:
        return int(connection.execute(text(statement), values).scalar_one())


@contextmanager
def _allowing_this_machine() -> Iterator[None]:
    before = os.environ.get(_HOOK_HOSTS)
    os.environ[_HOOK_HOSTS] = "localhost"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_HOOK_HOSTS]
        else:
            os.environ[_HOOK_HOSTS] = before
