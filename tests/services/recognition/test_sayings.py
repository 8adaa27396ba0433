"""What customers say, and the fields that it must fill: `sayings.jsonl`, a line each.

`says` is typed on Wednesday 25 November 2026 by somebody who writes the day first; `fields` is the likeliest reading in
the form in which a search is saved, `or` are readings that must be offered besides, in this order; `unplaced` is what
no field takes.
"""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.access import Store
from services.orders.filters import parse_filter
from services.recognition.context import context_of
from services.recognition.recognizer import recognize
from tests.services.recognition.support import CONTEXT, as_json

SAYINGS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "sayings.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_there_are_hundreds_of_sayings_and_each_is_there_once() -> None:
    assert len({saying["says"] for saying in SAYINGS}) == len(SAYINGS) >= 300


@pytest.mark.parametrize("part", range(7))
def test_each_saying_fills_its_fields(part: int) -> None:
    for saying in SAYINGS[part::7]:
        recognition = recognize(saying["says"], CONTEXT)
        own = [reading for reading in recognition.readings if not reading.literal]
        fields = [as_json(reading.typed) for reading in own] or [{}]
        unplaced = own[0].unplaced if own else recognition.unplaced
        assert fields[0] == saying["fields"], saying["says"]
        assert list(unplaced) == saying.get("unplaced", []), saying["says"]
        rivals = [rival for rival in fields[1:] if rival in saying.get("or", [])]
        assert rivals == saying.get("or", []), saying["says"]


def test_each_reading_is_a_search_that_the_form_accepts() -> None:
    for saying in SAYINGS:
        for reading in recognize(saying["says"], CONTEXT).readings:
            assert (
                parse_filter(reading.typed, zone=ZoneInfo("Asia/Tokyo"), today=CONTEXT.today).typed
                == reading.typed
            )


def test_an_american_writes_the_month_first() -> None:
    american = replace(CONTEXT, day_first=False)
    days = [
        [reading.typed.created_from for reading in recognize(text, american).readings if not reading.literal]
        for text in ("3/11/2026", "11/3/2026", "25/11/2026", "03.11.2026", "12/5")
    ]
    assert days == [
        [date(2026, 3, 11), date(2026, 11, 3)],
        [date(2026, 11, 3), date(2026, 3, 11)],
        [date(2026, 11, 25)],
        [date(2026, 11, 3)],
        # No order is of the coming fifth of December: without a year it is the last one.
        [date(2025, 12, 5), date(2026, 5, 12)],
    ]


@pytest.mark.parametrize(
    ("locale", "zone", "day_first", "region"),
    [
        ("en-US", "America/New_York", False, "US"),
        ("en-GB", "Europe/London", True, "GB"),
        ("de", "Europe/Berlin", True, "DE"),
        ("en", "Europe/Paris", True, "FR"),
        ("en", "America/Chicago", False, "US"),
        ("ja-JP", "Asia/Tokyo", False, "JP"),
        ("zh-Hans-CN", "Asia/Shanghai", False, "CN"),
        (None, "Europe/Moscow", True, "RU"),
        (None, "UTC", True, "US"),
        ("x-nonsense" * 9, "UTC", True, "US"),
    ],
)
def test_browser_and_time_zone_decide_the_order_of_day_and_month(
    locale: str | None, zone: str, day_first: bool, region: str
) -> None:
    context = context_of((Store(1, "demo-eu", None),), ZoneInfo(zone), locale)
    assert (context.day_first, context.regions[0]) == (day_first, region)


def test_ten_thousand_order_numbers_are_one_reading() -> None:
    numbers = [f"A00{number:08d}" for number in range(10_000)]
    [reading] = recognize("\n".join(["Order", *numbers]), CONTEXT).readings
    asked = parse_filter(reading.typed, zone=ZoneInfo("UTC"), today=CONTEXT.today).values.asked_orders
    assert asked is not None
    assert [order.number for order in asked] == [int(number[1:]) or None for number in numbers]
    [reading] = recognize(", ".join([*numbers, "hello", "anna@example.com"]), CONTEXT).readings
    assert reading.unplaced == ("hello", "anna@example.com")


def test_orders_are_searched_for_as_they_were_pasted() -> None:
    """A shop's own name may contain a space, and ends with its line."""
    reading = recognize("1001 / 2\n1002 / 2", CONTEXT).readings[0]
    assert reading.typed.order_ids == "1001 / 2\n1002 / 2"
