"""The client of the vendor's API, against a vendor of its own process."""

import time
from dataclasses import replace
from typing import Any

import pytest

from services.connections.safe_http import SafeClient
from services.noventiq.api import (
    DEFAULT_BASE_URL,
    ApiRefused,
    ApiUnavailable,
    LoginRefused,
    NotAtVendor,
    NoventiqApi,
    find_credentials,
)
from services.noventiq.tokens import LIFETIME_SECONDS, Credentials, Tokens
from tests.support.noventiq import FakeNoventiq, order, product
from tests.support.ports import free_port

# Any: JSON of any form.
Json = Any

SUBSCRIBED = {"id": "5_1", "type": "AR", "status": "active"}


class Clock:
    """A clock that tests set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def credentials(vendor: FakeNoventiq) -> Credentials:
    vendor.control("order", **order(5, product(1, subscription=SUBSCRIBED), status="paid"))
    return Credentials(1, vendor.url, "merchant", "1234")


@pytest.fixture
def api(credentials: Credentials) -> NoventiqApi:
    return NoventiqApi(credentials, tokens=Tokens())


def logins(vendor: FakeNoventiq) -> int:
    return len(vendor.calls("login_check"))


def test_orders_and_subscriptions_are_read_with_one_login(vendor: FakeNoventiq, api: NoventiqApi) -> None:
    assert api.get_order(5)["order_name"] == "A0000000005"
    assert api.get_subscription("5_1") == SUBSCRIBED
    assert logins(vendor) == 1
    assert vendor.calls("login_check")[0]["body"] == {"username": "merchant", "password": "1234"}


def test_a_token_is_renewed_before_it_expires(vendor: FakeNoventiq, credentials: Credentials) -> None:
    clock = Clock()
    api = NoventiqApi(credentials, tokens=Tokens(clock))
    assert LIFETIME_SECONDS < 24 * 3600
    api.get_order(5)
    clock.now = LIFETIME_SECONDS - 1
    api.get_order(5)
    assert logins(vendor) == 1
    clock.now = LIFETIME_SECONDS
    api.get_order(5)
    assert logins(vendor) == 2


def test_an_expired_or_unknown_token_is_renewed_once(vendor: FakeNoventiq, api: NoventiqApi) -> None:
    api.get_order(5)
    vendor.control("expire_tokens")  # 1009
    assert api.get_order(5)["order_id"] == "5"
    vendor.control("set", tokens={})  # 1007
    assert api.get_subscription("5_1")["status"] == "active"
    assert logins(vendor) == 3


@pytest.mark.parametrize("code", [1007, 1008, 1009])
def test_the_vendors_codes_count_whatever_the_status(
    vendor: FakeNoventiq, api: NoventiqApi, code: int
) -> None:
    api.get_order(5)
    vendor.control(
        "fault", path="/v1/order", status=400, body={"errors": [{"error": code, "message": "Token."}]}
    )
    assert api.get_order(5)["order_id"] == "5" and logins(vendor) == 2


def test_a_new_token_that_is_refused_as_well_is_no_endless_loop(
    vendor: FakeNoventiq, api: NoventiqApi
) -> None:
    for _ in range(2):
        vendor.control("fault", path="/v1/order", status=401)
    with pytest.raises(LoginRefused):
        api.get_order(5)
        api.get_order(5)
    assert logins(vendor) <= 2


def test_wrong_credentials_are_said_and_not_shown(vendor: FakeNoventiq, credentials: Credentials) -> None:
    api = NoventiqApi(replace(credentials, password="wr0ng-secret"), tokens=Tokens())
    with pytest.raises(LoginRefused) as refusal:
        api.get_order(5)
    assert str(refusal.value) == "Noventiq refused the user name or the password of this connection."
    assert "wr0ng" not in repr(replace(credentials, password="wr0ng-secret"))


def test_connections_do_not_share_tokens(vendor: FakeNoventiq, credentials: Credentials) -> None:
    tokens = Tokens()
    for connection_id, password in ((1, "1234"), (2, "1234"), (1, "1234")):
        own = replace(credentials, connection_id=connection_id, password=password)
        NoventiqApi(own, tokens=tokens).get_order(5)
    assert logins(vendor) == 2
    vendor.control("set", password="5678")
    NoventiqApi(replace(credentials, password="5678"), tokens=tokens).get_order(5)
    assert logins(vendor) == 3  # a new password is a new login


def test_what_the_vendor_refuses_is_told_in_its_words(vendor: FakeNoventiq, api: NoventiqApi) -> None:
    with pytest.raises(NotAtVendor, match=r"Noventiq answered 404: Order not found\."):
        api.get_order(404)
    with pytest.raises(NotAtVendor):
        api.get_subscription("9_9")
    api.request_refund(5, description="A test", email="we@example.com")
    with pytest.raises(ApiRefused, match=r"Noventiq answered 400: A refund cannot be requested\.") as refusal:
        api.request_refund(5, description="A test", email="we@example.com")
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (500, {}, None),
        (503, {"Retry-After": "120"}, 120.0),
        (429, {"Retry-After": "7"}, 7.0),
        (302, {"Location": "https://elsewhere.example.com/"}, None),
        (408, {}, None),
    ],
)
def test_what_may_work_later(
    vendor: FakeNoventiq, api: NoventiqApi, status: int, headers: dict[str, str], wait: float | None
) -> None:
    vendor.control("fault", path="/v1/order", status=status, headers=headers)
    with pytest.raises(ApiUnavailable) as trouble:
        api.get_order(5)
    assert (trouble.value.status, trouble.value.retry_after) == (status, wait)
    assert api.get_order(5)["order_id"] == "5"


def test_an_answer_that_is_late_or_lost_is_tried_again_later(
    vendor: FakeNoventiq, credentials: Credentials
) -> None:
    api = NoventiqApi(credentials, client=SafeClient(seconds=0.5), tokens=Tokens())
    vendor.control("fault", path="/v1/order", status=200, delay=2)
    began = time.monotonic()
    with pytest.raises(ApiUnavailable, match="cannot be reached"):
        api.get_order(5)
    assert time.monotonic() - began < 1.8
    vendor.control("fault", path="modify_activity", lost=True)
    with pytest.raises(ApiUnavailable):
        api.modify_activity("5_1", active=False)
    assert vendor.control("state")["subscriptions"]["5_1"]["status"] == "cancelled"


def test_nobody_there_and_forbidden_addresses(credentials: Credentials) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "http://example.com", "https://10.0.0.1", "ftp://x"):
        with pytest.raises(ApiUnavailable, match="cannot be reached"):
            NoventiqApi(replace(credentials, base_url=url), tokens=Tokens()).get_order(5)


def test_an_answer_that_is_no_json_object(vendor: FakeNoventiq, api: NoventiqApi) -> None:
    body: Json
    for body in ([], "text", 7, None):
        vendor.control("fault", path="/v1/order", status=200, body=body)
        with pytest.raises(ApiUnavailable, match="cannot be read"):
            api.get_order(5)
    vendor.control("set", tokens={})
    vendor.control("fault", path="login_check", status=200, body={"token": ["x"]})
    with pytest.raises(ApiUnavailable, match="no token"):
        NoventiqApi(Credentials(9, vendor.url, "merchant", "1234"), tokens=Tokens()).get_order(5)


def test_a_subscriptions_id_cannot_lead_elsewhere(vendor: FakeNoventiq, api: NoventiqApi) -> None:
    for hostile in ("../order/5", "5_1/../..", "5_1?x=1", "", "5", "5_", "٥_١", "5_1\n"):
        with pytest.raises(ApiRefused):
            api.get_subscription(hostile)
        with pytest.raises(ApiRefused):
            api.modify_activity(hostile, active=False)
    assert vendor.calls() == []


def test_credentials_are_options_and_a_secret() -> None:
    assert find_credentials(1, {}, ("p",)) is None
    assert find_credentials(1, {"username": "m"}, ()) is None
    assert find_credentials(1, {"username": ["m"]}, ("p",)) is None
    vendors_own = find_credentials(1, {"username": "m", "api_url": None}, ("new", "old"))
    assert vendors_own == Credentials(1, DEFAULT_BASE_URL, "m", "new")
    other = find_credentials(1, {"username": "m", "api_url": "https://test.example/"}, ("p",))
    assert other == Credentials(1, "https://test.example", "m", "p")
