"""The search box against the form: from Enter to the rows, and to the order when there is only one.

The form's side is the same search with its fields filled in. The box recognises the text and, where it can mean several
things, counts what each finds. They take turns on one connection. The recognition alone is timed for everything in
tests/services/recognition/sayings.jsonl. Times are in milliseconds.
"""

import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy import Row as OrderOfData

from bench.results import Row, milliseconds, p95, yes
from bench.searches import subjects
from db.connections import engine
from services.access import Store, Viewer, get_viewer
from services.orders.detail import get_order
from services.orders.filters import SearchInput, parse_filter
from services.orders.search import count_orders, find_orders
from services.recognition.context import Context
from services.recognition.counting import count_rivals
from services.recognition.recognizer import prepare, recognize

UTC = ZoneInfo("UTC")
_SAYINGS = Path(__file__).parents[1] / "tests" / "services" / "recognition" / "sayings.jsonl"
_CONTEXT = Context(date(2026, 11, 25), (Store(1, "demo-eu", "Demo Europe"), Store(2, "demo-us", None)))
# What is typed for an order of the data, and the fields of the form that a person would fill.
_KINDS: dict[str, Callable[[OrderOfData[Any]], tuple[str, SearchInput]]] = {
    "order name": lambda o: (o.order_name, SearchInput(order_ids=o.order_name)),
    "order number": lambda o: (str(o.order_id), SearchInput(order_ids=str(o.order_id))),
    "e-mail": lambda o: (o.email, SearchInput(email=o.email)),
    "phone": lambda o: (f"phone {o.phone}", SearchInput(phone=o.phone)),
    "four digits": lambda o: (o.card_last_4, SearchInput(card_last_4=o.card_last_4)),
    "card, labelled": lambda o: (f"card {o.card_last_4}", SearchInput(card_last_4=o.card_last_4)),
    "last name": lambda o: (o.last_name, SearchInput(last_name=o.last_name)),
    "first and last name": lambda o: (
        f"{o.first_name} {o.last_name}",
        SearchInput(first_name=o.first_name, last_name=o.last_name),
    ),
    "activation code": lambda o: (o.code, SearchInput(activation_code=o.code)),
    "name and day": lambda o: (
        f"{o.last_name} paid {o.paid_at:%Y-%m-%d}",
        SearchInput(last_name=o.last_name, paid_from=o.paid_at.date()),
    ),
}


def measure(rounds: int, account_id: int) -> list[Row]:
    """One row for the recognition, and one per kind of text."""
    prepare()
    with engine.viewer_transaction(account_id) as mine, engine.owner_engine().begin() as owner:
        viewer = get_viewer(mine, account_id)
        about = subjects(owner)
        return [
            _recognition(),
            *(_compare(kind, say, mine, viewer, about, rounds) for kind, say in _KINDS.items()),
        ]


def _recognition() -> Row:
    sayings = [json.loads(line)["says"] for line in _SAYINGS.read_text(encoding="utf-8").splitlines()]
    times = []
    for saying in sayings:
        recognize(saying, _CONTEXT)
        start = time.perf_counter()
        recognize(saying, _CONTEXT)
        times.append((time.perf_counter() - start) * 1000)
    median = statistics.median(times)
    return {
        "typed": f"recognition of {len(sayings)} sayings",
        "ms": median,
        "p95": p95(times),
        "target met": yes(p95(times) < 2),
    }


def _compare(
    kind: str,
    say: Callable[[OrderOfData[Any]], tuple[str, SearchInput]],
    mine: Connection,
    viewer: Viewer,
    about: list[OrderOfData[Any]],
    rounds: int,
) -> Row:
    """Box and form in turn. The box may take 2 ms more, which nobody sees beside the page's 300."""
    said = [say(order) for order in about]
    boxes, forms = [], []
    for number in range(rounds):
        text, typed = said[number % len(said)]
        forms.append(milliseconds(partial(_by_form, mine, viewer, typed)))
        boxes.append(milliseconds(partial(_by_box, mine, viewer, text)))
    median, floor = statistics.median(boxes), statistics.median(forms)
    return {
        "typed": kind,
        "ms": median,
        "p95": p95(boxes),
        "form ms": floor,
        "form p95": p95(forms),
        "ratio": median / floor,
        "target met": yes(median <= floor + 2),
    }


def _by_form(connection: Connection, viewer: Viewer, typed: SearchInput) -> None:
    search = parse_filter(typed, zone=UTC)
    page = find_orders(connection, viewer, search)
    count = count_orders(connection, viewer, search, page=page)
    if count.number == 1:
        get_order(connection, viewer, page.rows[0].order_id)


def _by_box(connection: Connection, viewer: Viewer, text: str) -> None:
    readings = recognize(text, _CONTEXT).readings
    chosen = readings[0]
    if len(readings) > 1:
        counts = count_rivals(connection, viewer, [parse_filter(r.typed, zone=UTC) for r in readings])
        chosen = next((r for r, count in zip(readings, counts, strict=True) if count.number), chosen)
    _by_form(connection, viewer, chosen.typed)
