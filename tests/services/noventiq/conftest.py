"""The pretended vendor, in one process for the whole run, and its host among those that may be spoken to."""

from collections.abc import Iterator

import pytest

from tests.support.noventiq import FakeNoventiq, fake_noventiq


@pytest.fixture(scope="package")
def process() -> Iterator[FakeNoventiq]:
    with pytest.MonkeyPatch.context() as patch, fake_noventiq() as running:
        patch.setenv("ESUPPORT_HOOK_HOSTS", "127.0.0.1")
        yield running


@pytest.fixture
def vendor(process: FakeNoventiq) -> FakeNoventiq:
    """The vendor as it was at the start."""
    process.control("reset")
    return process
