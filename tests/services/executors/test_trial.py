"""Credentials of a connection, tried at the provider by a call that changes nothing there."""

import json
from typing import Any

import pytest

from db.connections.viewers import SignedIn
from db.schema.connection_states import ConnectionKind, Purpose
from services.errors import Conflict
from services.executors.trial import check_credentials
from tests.services.connections.administering import administer, connect
from tests.support import factories
from tests.support.factories import run
from tests.support.noventiq import fake_noventiq
from tests.support.stripe_control import StripeProvider
from tests.support.stripe_provider import KEY


@pytest.fixture(scope="module")
def admin(database: str) -> SignedIn:
    factories.account("anna", stores=["shop-a"])
    return factories.account("admin", role="administrator")


def connected(admin: SignedIn, kind: ConnectionKind, secret: str | None, **options: Any) -> int:
    """The only connection, with this secret of the other side's interface, and with these options."""
    run("DELETE FROM connection")
    made = connect(admin, kind=kind, secrets={} if secret is None else {Purpose.API: secret})
    run("UPDATE connection SET options = :options WHERE id = :id", options=json.dumps(options), id=made.id)
    return made.id


def test_a_key_of_stripe_is_tried_and_nothing_changes_there(
    admin: SignedIn, provider: StripeProvider
) -> None:
    stripe = connected(admin, ConnectionKind.STRIPE, KEY, api_base=provider.base)
    assert administer(admin, check_credentials, stripe).startswith(
        "Stripe accepts the key, and it may read refunds."
    )
    assert provider.refunds == []
    wrong = connected(admin, ConnectionKind.STRIPE, "sk_test_wrong", api_base=provider.base)
    with pytest.raises(Conflict, match="does not accept the connection's key"):
        administer(admin, check_credentials, wrong)
    foreign = connected(admin, ConnectionKind.STRIPE, KEY, api_base="http://elsewhere.example")
    with pytest.raises(Conflict, match="ESUPPORT_HOOK_HOSTS"):
        administer(admin, check_credentials, foreign)
    with pytest.raises(Conflict, match="no key"):
        administer(admin, check_credentials, connected(admin, ConnectionKind.STRIPE, None))
    details = run(
        "SELECT details ->> 'credentials' FROM audit_log WHERE action = 'test connection' AND succeeded"
    )
    assert details == [("true",)]


def test_a_password_of_noventiq_is_tried_by_logging_in(
    admin: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
    with fake_noventiq() as vendor:
        options = {"username": "merchant", "api_url": vendor.url}
        right = connected(admin, ConnectionKind.NOVENTIQ, "1234", **options)
        for _ in range(2):  # each time anew
            assert (
                administer(admin, check_credentials, right)
                == "Noventiq accepts the user name and the password."
            )
        assert [call["path"] for call in vendor.calls()] == ["/v1/login_check"] * 2
        wrong = connected(admin, ConnectionKind.NOVENTIQ, "wrong", **options)
        with pytest.raises(Conflict, match="Noventiq"):
            administer(admin, check_credentials, wrong)
    away = connected(admin, ConnectionKind.NOVENTIQ, "1234", **options)
    with pytest.raises(Conflict):
        administer(admin, check_credentials, away)
    with pytest.raises(Conflict, match="no user name and password"):
        administer(admin, check_credentials, connected(admin, ConnectionKind.NOVENTIQ, None))


def test_a_shop_has_no_credentials_to_try(admin: SignedIn) -> None:
    with pytest.raises(Conflict, match="no credentials"):
        administer(admin, check_credentials, connect(admin).id)
