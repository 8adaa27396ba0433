"""The pretended provider, in one process for a module, and its host among those that may be spoken to."""

from collections.abc import Iterator

import pytest

from tests.support.stripe_control import StripeProvider, stripe_provider


@pytest.fixture(scope="module")
def provider() -> Iterator[StripeProvider]:
    with pytest.MonkeyPatch.context() as patch, stripe_provider() as running:
        patch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
        yield running
