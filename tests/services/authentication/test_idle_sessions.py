"""The idle end of a session: half an hour without use, or as long as the installation says."""

import pytest

from db.connections.viewers import SignedIn
from db.environment import SettingsError
from db.settings import database_settings
from services.authentication import sessions
from tests.support import factories
from tests.support.factories import run


@pytest.fixture
def anna(database: str) -> SignedIn:
    run("DELETE FROM account_session")
    [[number]] = run("SELECT count(*) FROM account")
    return factories.account(f"anna{number}")


def unused_for(minutes: int) -> None:
    run("UPDATE account_session SET last_seen_at = now() - make_interval(mins => :minutes)", minutes=minutes)


def seconds_since_use() -> int:
    [[seconds]] = run("SELECT extract(epoch FROM now() - last_seen_at)::integer FROM account_session")
    return int(seconds)


def test_half_an_hour_without_use_ends_it_and_use_keeps_it(anna: SignedIn) -> None:
    unused_for(29)
    assert sessions.viewer_of_token(anna.token) is not None
    assert seconds_since_use() < 10
    unused_for(29)
    assert sessions.viewer_of_token(anna.token) is not None, "an hour after it began"
    unused_for(31)
    assert sessions.viewer_of_token(anna.token) is None
    assert sessions.viewer_of_token(anna.token) is None, "asking does not bring it back"


def test_use_is_written_down_once_a_minute(anna: SignedIn) -> None:
    run("UPDATE account_session SET last_seen_at = now() - interval '50 seconds'")
    assert sessions.viewer_of_token(anna.token) is not None
    assert seconds_since_use() >= 50
    run("UPDATE account_session SET last_seen_at = now() - interval '61 seconds'")
    assert sessions.viewer_of_token(anna.token) is not None
    assert seconds_since_use() < 10


def test_each_installation_says_how_long(anna: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_IDLE_MINUTES", "5")
    unused_for(6)
    assert sessions.viewer_of_token(anna.token) is None
    monkeypatch.setenv("ESUPPORT_IDLE_MINUTES", "240")
    unused_for(239)
    assert sessions.viewer_of_token(anna.token) is not None


@pytest.mark.parametrize("value", ["0", "-1", "721", "x", "1.5", "٣"])
def test_what_is_no_number_of_minutes(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_IDLE_MINUTES", value)
    with pytest.raises(SettingsError, match="ESUPPORT_IDLE_MINUTES"):
        database_settings()
