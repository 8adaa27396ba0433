"""People who ask for refunds, and the pretended provider: one process for a module, at a host that may be spoken to."""

from collections.abc import Iterator

import pytest

from tests.support import factories
from tests.support.stripe_control import StripeProvider, stripe_provider


@pytest.fixture(scope="module")
def provider() -> Iterator[StripeProvider]:
    with pytest.MonkeyPatch.context() as patch, stripe_provider() as running:
        patch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
        yield running


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    return {
        "anna": factories.account("anna", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", stores=["shop-a"]),
        "admin": factories.account("admin", role="administrator"),
    }
