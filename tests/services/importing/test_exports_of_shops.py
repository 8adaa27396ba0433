"""What shops export besides plain sales: coupons, returns, renewals that never come, old currencies, addresses."""

from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
from hypothesis import given
from hypothesis import strategies as st

from db.connections.roles import libpq_url
from services.importing.document import ImportLineError
from services.text.web_addresses import is_web_address
from tests.support.factories import document, item, run, take_in

COUPON = {"name": "Coupon", "price": "-1.50", "quantity": 1, "amount": "-1.50", "vat_amount": "-0.25"}


def test_a_coupon_is_a_line_and_is_not_waited_for_to_be_delivered() -> None:
    take_in(document(order_id=9, items=[item(), COUPON]))
    assert run("SELECT total::text, delivered FROM orders") == [("8.50", True)]
    take_in(document(order_id=9, items=[COUPON, item(delivered=False)]))
    assert run("SELECT total::text, delivered FROM orders") == [("8.50", False)]


def test_an_order_of_returns_alone_has_a_total_below_zero() -> None:
    back = item(name="Returned", price="-10.00", amount="-10.00", discount_amount="-1.00")
    take_in(document(order_id=8, items=[back]), document(order_id=9, items=[back, item()], total="0.00"))
    assert run("SELECT total::text, delivered FROM orders ORDER BY order_id") == [
        ("-10.00", True),
        ("0.00", True),
    ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"items": [item(price="-1.00")]}, "items[0].price"),
        ({"items": [item(vat_amount="-1.00")]}, "items[0].vat_amount"),
        ({"items": [item(amount="-1.00", discount_percent="-5")]}, "items[0].discount_percent"),
        ({"total": "-0.01"}, "total"),
        ({"items": [item(amount="--1")]}, "items[0].amount"),
    ],
)
def test_below_zero_is_only_what_belongs_to_a_discount_or_a_return(
    fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ImportLineError) as raised:
        take_in(document(**fields))
    assert raised.value.field == field


@pytest.mark.parametrize(
    "never",
    [
        "9999-12-31T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:59.999999+14:00",
        "9999-01-01T00:00:00+12:00",
    ],
)
def test_never_is_read_in_every_time_zone(never: str) -> None:
    subscription = {"id": "S", "type": "AR", "status": "active", "next_renewal_date": never}
    take_in(document(order_id=9, items=[item(subscription=subscription)]))
    for zone in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12"):
        [[stored]] = run(
            "SELECT next_renewal_at FROM subscription, set_config('timezone', :zone, true)", zone=zone
        )
        assert stored.year == 9999


def test_a_renewal_far_away_is_a_date_and_nonsense_is_refused() -> None:
    subscription = {"id": "S", "type": "AR", "status": "active"}
    take_in(
        document(
            order_id=9,
            items=[item(subscription=subscription | {"next_renewal_date": "2999-12-31T00:00:00Z"})],
        )
    )
    assert run("SELECT next_renewal_at::date::text FROM subscription") == [("2999-12-31",)]
    for wrong in ("9999-02-30T00:00:00Z", "9999-12-31T00:00:00", "9999", "10000-01-01T00:00:00Z"):
        with pytest.raises(ImportLineError) as raised:
            take_in(document(items=[item(subscription=subscription | {"next_renewal_date": wrong})]))
        assert raised.value.field == "items[0].subscription.next_renewal_date"


OLD = "ATS BEF CSK DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL NLG PTE ROL SKK SUR TRL XEU YUN ZWD"


def test_orders_in_old_currencies_arrive() -> None:
    codes = OLD.split()
    assert take_in(*(document(currency=code) for code in codes)).inserted == len(codes)


GOOD = [
    "https://shop.example/orders/1",
    "http://shop.example:8080/a?b=c@d#e",
    "https://medium.example/@somebody",
    "https://[2001:db8::1]/x",
    "https://пример.example/ü?q=%20",
    "https://हिन्दी.example/",
    "http://a",
]
BAD = [
    "https://shop@evil.example/",
    "https://shop.example:pw@evil.example/",
    "https://shop.example%40evil.example/",
    "https://shop.example＠evil.example/",
    "https:///path",
    "https://",
    "https://?x",
    "https://:80/",
    "https://.example/",
    "http:shop.example",
    "//shop.example",
    "javascript:alert(1)//https://x",
    "ftp://shop.example/",
    "https://shop.example/a b",
    "https://shop.example/\u202egpj.exe",
    "https://shop.example/\u0085",
    "https://shop.example\\@evil.example/",
    "https://shop.example／evil.example/",
    "https://[evil.example/",
    'https://shop.example/">',
]


@pytest.mark.parametrize(("address", "fine"), [(a, True) for a in GOOD] + [(a, False) for a in BAD])
def test_an_address_leads_where_it_seems_to(address: str, fine: bool) -> None:
    assert is_web_address(address) is fine
    assert run("SELECT is_web_address(:address)", address=address) == [(fine,)]
    if fine:
        take_in(document(order_id=9, order_detail_url=address))
        return
    with pytest.raises(ImportLineError) as raised:
        take_in(document(order_detail_url=address))
    assert raised.value.field == "order_detail_url"


def test_the_database_refuses_a_bad_address_and_leaves_an_old_one_in_peace(database: str) -> None:
    take_in(document(order_id=9))
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        run("UPDATE orders SET detail_url = 'https://shop@evil/'")
    with psycopg.connect(libpq_url(database)) as owner:
        owner.execute("ALTER TABLE orders DISABLE TRIGGER orders_detail_url_updated")
        owner.execute("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE orders SET detail_url = 'https://shop@evil/'")
        owner.execute("ALTER TABLE orders ENABLE TRIGGER orders_detail_url_updated")
    run("UPDATE orders SET status = 'deleted', detail_url = detail_url")
    assert run("SELECT status, detail_url FROM orders WHERE order_id = 9") == [
        ("deleted", "https://shop@evil/")
    ]


@given(
    st.text(st.sampled_from("htps:/@[]%.a＠／é\u202e\u200d \\?#1"), max_size=12).map(
        lambda end: f"https://{end}"
    )
)
def test_python_and_the_database_agree(address: str) -> None:
    assert run("SELECT is_web_address(:address)", address=address) == [(is_web_address(address),)]
