"""What people change about their own account."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from db.connections.engine import jobs_transaction
from services.access import Viewer
from services.accounts import profile
from services.authentication import passwords, sessions
from services.errors import InvalidInput
from services.time_zones import find_time_zone, time_zones
from tests.support import factories

OLD = "the old password 1"
NEW = "the new password 2"


def run(statement: str, **values: object) -> Any:
    with jobs_transaction() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def token(database: str) -> str:
    """The session of a fresh account."""
    run("DELETE FROM account")
    account = run(
        "INSERT INTO account (email, name, role, password_hash, must_change_password) "
        "VALUES ('anna@team.example', 'Anna', 'specialist', :hash, false) RETURNING id",
        hash=passwords.hash_password(OLD),
    )[0].id
    run("DELETE FROM sign_in_attempt")
    return factories.session(account)


def viewer_of(token: str) -> Viewer:
    viewer = sessions.viewer_of_token(token)
    assert viewer is not None
    return viewer


def change(token: str, **changes: Any) -> None:
    values = {
        "new": NEW,
        "repeated": NEW,
        "current": OLD,
        "address": "192.0.2.1",
    } | changes
    profile.change_own_password(viewer_of(token), **values)


def test_changing_the_password_ends_every_other_session(token: str) -> None:
    account = viewer_of(token).account_id
    other = factories.session(account)
    change(token)
    assert sessions.viewer_of_token(token) is not None
    assert sessions.viewer_of_token(other) is None
    assert sessions.check_password("anna@team.example", NEW, address=None) == account
    assert sessions.check_password("anna@team.example", OLD, address=None) is None
    audit = run(
        "SELECT account_id, address FROM audit_log WHERE action = 'change password' ORDER BY id DESC"
    )[0]
    assert tuple(audit) == (account, "192.0.2.1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"current": "a wrong guess"}, "current"),
        ({"current": None}, "current"),
        ({"new": OLD, "repeated": OLD}, "new"),
        ({"new": f" {OLD} ", "repeated": OLD}, "new"),
        ({"new": "short", "repeated": "short"}, "new"),
        ({"repeated": "something else"}, "repeated"),
    ],
)
def test_a_refused_change_changes_nothing(token: str, changes: dict[str, Any], field: str) -> None:
    other = factories.session(viewer_of(token).account_id)
    with pytest.raises(InvalidInput) as refusal:
        change(token, **changes)
    assert refusal.value.field == field
    assert sessions.viewer_of_token(other) is not None
    assert sessions.check_password("anna@team.example", OLD, address=None) is not None


def test_an_open_screen_is_no_place_for_guessing(token: str) -> None:
    for _ in range(5):
        with pytest.raises(InvalidInput):
            change(token, current="a wrong guess")
    with pytest.raises(InvalidInput):
        change(token)
    assert run("SELECT locked_until > now() AS locked FROM account")[0].locked


def test_a_one_time_password_is_replaced_without_typing_it_again(token: str) -> None:
    run("UPDATE account SET must_change_password = true")
    assert viewer_of(token).must_change_password
    with pytest.raises(InvalidInput):
        change(token, current=None, new=OLD, repeated=OLD)
    change(token, current=None)
    assert not viewer_of(token).must_change_password


def test_the_time_zone_is_kept_and_can_follow_the_browser_again(token: str) -> None:
    viewer = viewer_of(token)
    profile.set_own_time_zone(viewer, "America/Sao_Paulo")
    assert viewer_of(token).time_zone == "America/Sao_Paulo"
    profile.set_own_time_zone(viewer, None)
    assert viewer_of(token).time_zone is None


@pytest.mark.parametrize("zone", ["", "Europe/Nowhere", "../../etc/passwd", "Europe", "EST5EDT\0"])
def test_no_other_time_zone_is_kept(token: str, zone: str) -> None:
    with pytest.raises(InvalidInput):
        profile.set_own_time_zone(viewer_of(token), zone)
    assert viewer_of(token).time_zone is None
    assert find_time_zone(zone) is None


def test_time_zones_are_found_by_name() -> None:
    assert find_time_zone("Asia/Kolkata") == ZoneInfo("Asia/Kolkata")
    assert find_time_zone(None) is None
    assert "UTC" in time_zones()
    assert {"Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"} <= set(time_zones())
