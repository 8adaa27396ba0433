"""Accounts, teams and checkout pages as administrators change them, and nobody else."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from db.connections.engine import viewer_transaction
from services.access import Role
from services.accounts.administration import (
    Grants,
    LastAdministrator,
    change_account,
    create_account,
    disable_account,
    enable_account,
    end_sessions,
    reset_password,
    unlock_account,
)
from services.accounts.listing import find_accounts, get_account
from services.accounts.stores import StoreNotFound, change_store, find_payment_methods, find_stores
from services.accounts.teams import TeamNotFound, change_team, create_team, delete_team, find_teams
from services.actions import Action
from services.authentication import passwords, sessions
from services.delivery.log import send_again
from services.delivery.mail_rounds import send_due
from services.errors import AccountNotFound, Conflict, InvalidInput, NotAllowed
from services.mail.outbox import REMOVED
from tests.services.accounts.support import act, made, mailed_password, seen, signed_in, store
from tests.support import factories
from tests.support.factories import document, run
from tests.support.mail_server import mail_server


@pytest.fixture(scope="module")
def people(database: str) -> dict[str, int]:
    factories.take_in(document(order_id=1), document(order_id=2, checkout_page="shop-b"))
    return {
        "admin": factories.account("admin", role="administrator"),
        "anna": factories.account("anna", stores=["shop-a"]),
        "carla": factories.account("carla", role="analyst", stores=["shop-a"]),
        "rita": factories.account("rita", role="refund_operator", all_stores=True),
    }


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


def test_a_new_account_is_mailed_a_password_that_lets_in_once(people: dict[str, int]) -> None:
    new = made(people, "nadia", stores=(store("shop-a"),))
    assert (new.role, new.stores, new.must_change_password) == (Role.SPECIALIST, (store("shop-a"),), True)
    [[hours]] = run(
        "SELECT round(extract(epoch FROM one_time_until - created_at) / 3600) FROM account WHERE id = :id",
        id=new.id,
    )
    assert hours == 72
    password = mailed_password(new.id)
    assert sessions.check_password("NADIA@team.example", password, address=None) == new.id
    viewer = factories.viewer(new.id)
    assert viewer.must_change_password and [shop.name for shop in viewer.stores] == ["shop-a"]
    # Not in what is kept of the request.
    assert password not in repr(run("SELECT * FROM audit_log")) + repr(run("SELECT * FROM action_key"))
    run("UPDATE account SET one_time_until = now() - interval '1 second' WHERE id = :id", id=new.id)
    assert sessions.check_password("nadia@team.example", password, address=None) is None


def test_the_text_of_a_password_mail_is_gone_once_it_was_sent(people: dict[str, int]) -> None:
    new = made(people, "secret")
    password = mailed_password(new.id)
    with mail_server() as server:
        send_due(server.url, "portal@shop.example")
        [got] = server.to("secret@team.example")
    assert password in got.text and password in got.html
    [row] = run("SELECT * FROM mail WHERE account_id = :id", id=new.id)
    assert (row.state, row.text_body, row.html_body) == ("sent", REMOVED, None)
    with pytest.raises(Conflict, match="held a secret"):
        act(people["admin"], send_again, row.id)


@pytest.mark.parametrize(
    ("email", "name", "field"),
    [("no address", "Name", "email"), ("a@example.com", " ", "name"), ("a@example.com", "x" * 201, "name")],
)
def test_what_is_wrong_is_said_at_its_field(
    email: str, name: str, field: str, people: dict[str, int]
) -> None:
    with pytest.raises(InvalidInput) as raised:
        act(people["admin"], create_account, email=email, name=name, grants=Grants(Role.ANALYST))
    assert raised.value.field == field


def test_one_account_an_email(people: dict[str, int]) -> None:
    made(people, "twice")
    with pytest.raises(Conflict, match="There is an account with the e-mail"):
        made(people, "TWICE")


def test_grants_change_what_is_seen_at_once_and_keep_the_session(people: dict[str, int]) -> None:
    account = made(people, "grace", stores=(store("shop-a"),))
    token = signed_in(account.id)
    act(
        people["admin"],
        change_account,
        account.id,
        name="Grace",
        grants=Grants(Role.SPECIALIST, stores=(store("shop-b"),)),
    )
    viewer = sessions.viewer_of_token(token)
    assert viewer and [s.name for s in viewer.stores] == ["shop-b"]
    act(
        people["admin"],
        change_account,
        account.id,
        name="Grace",
        grants=Grants(Role.SPECIALIST, all_stores=True),
    )
    viewer = sessions.viewer_of_token(token)
    assert viewer and [s.name for s in viewer.stores] == ["shop-a", "shop-b"]


@pytest.mark.parametrize("ends", ["role", "disabled", "reset", "ended"])
def test_sessions_end_at_once(ends: str, people: dict[str, int]) -> None:
    account = made(people, f"ends-{ends}")
    token = signed_in(account.id)
    assert sessions.viewer_of_token(token)
    work: Callable[..., Any]
    if ends == "role":
        work = partial(
            act, people["admin"], change_account, account.id, name="x", grants=Grants(Role.ANALYST)
        )
    else:
        doing = {"disabled": disable_account, "reset": reset_password, "ended": end_sessions}[ends]
        work = partial(act, people["admin"], doing, account.id)
    work()
    assert sessions.viewer_of_token(token) is None
    assert seen(people, account.id).open_sessions == 0


def test_a_reset_password_replaces_the_old_one(people: dict[str, int]) -> None:
    account = made(people, "forgetful")
    old = mailed_password(account.id)
    run(
        "UPDATE account SET failed_sign_ins = 5, locked_until = now() + interval '1 hour' WHERE id = :id",
        id=account.id,
    )
    act(people["admin"], reset_password, account.id)
    assert sessions.check_password(account.email, old, address=None) is None
    assert sessions.check_password(account.email, mailed_password(account.id), address=None) == account.id


def test_a_locked_account_is_seen_and_unlocked(people: dict[str, int]) -> None:
    run("DELETE FROM sign_in_attempt")
    account = made(people, "typist")
    password = mailed_password(account.id)
    for _ in range(5):
        sessions.check_password(account.email, "wrong", address=None)
    assert sessions.check_password(account.email, password, address=None) is None
    assert seen(people, account.id).is_locked(datetime.now(UTC))
    act(people["admin"], unlock_account, account.id)
    assert not seen(people, account.id).is_locked(datetime.now(UTC))
    assert sessions.check_password(account.email, password, address=None) == account.id
    # It begins anew: four wrong ones lock nothing, and a lock that has run out is none.
    for _ in range(4):
        sessions.check_password(account.email, "wrong", address=None)
    assert sessions.check_password(account.email, password, address=None) == account.id
    run("UPDATE account SET locked_until = now() - interval '1 second' WHERE id = :id", id=account.id)
    with pytest.raises(Conflict, match="not locked"):
        act(people["admin"], unlock_account, account.id)


def test_disabled_and_enabled_again(people: dict[str, int]) -> None:
    account = made(people, "leaving")
    password = mailed_password(account.id)
    act(people["admin"], disable_account, account.id)
    assert sessions.check_password(account.email, password, address=None) is None
    for work, sentence in ((disable_account, "disabled already"), (reset_password, "Enable it first")):
        with pytest.raises(Conflict, match=sentence):
            act(people["admin"], work, account.id)
    act(people["admin"], enable_account, account.id)
    assert sessions.check_password(account.email, password, address=None) == account.id
    with pytest.raises(Conflict, match="not disabled"):
        act(people["admin"], enable_account, account.id)


def test_the_last_administrator_stays(people: dict[str, int]) -> None:
    second = made(people, "second", role=Role.ADMINISTRATOR)
    with pytest.raises(Conflict, match="You cannot disable your own"):
        act(people["admin"], disable_account, people["admin"])
    act(people["admin"], disable_account, second.id)
    with pytest.raises(LastAdministrator):
        act(people["admin"], change_account, people["admin"], name="Admin", grants=Grants(Role.ANALYST))
    assert seen(people, people["admin"]).role is Role.ADMINISTRATOR
    act(people["admin"], enable_account, second.id)
    act(people["admin"], change_account, second.id, name="Second", grants=Grants(Role.ANALYST))


def test_the_list_is_searched_and_turned(people: dict[str, int]) -> None:
    for name in ("page-1", "page-2", "page-3", "100%_sure"):
        made(people, name)
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        first = find_accounts(connection, admin, search_text="PAGE-", limit=2)
        rest = find_accounts(connection, admin, search_text="PAGE-", limit=2, after=first[-1].email)
        assert [account.email[:6] for account in (*first, *rest)] == ["page-1", "page-2", "page-3"]
        assert [account.name for account in find_accounts(connection, admin, search_text="%_S")] == [
            "100%_Sure"
        ]
        with pytest.raises(AccountNotFound):
            get_account(connection, admin, 10**6)


def test_a_team_gives_its_members_what_it_sees(people: dict[str, int]) -> None:
    account = made(people, "member")
    act(people["admin"], create_team, name=" East  team ", members=[account.id], stores=[store("shop-b")])
    with viewer_transaction(people["admin"]) as connection:
        [team] = [
            t for t in find_teams(connection, factories.viewer(people["admin"])) if t.name == "East team"
        ]
    assert (team.members, team.stores) == (((account.id, "Member"),), (store("shop-b"),))
    assert [s.name for s in factories.viewer(account.id).stores] == ["shop-b"]
    with pytest.raises(InvalidInput, match="of this name already"):
        act(people["admin"], create_team, name="EAST TEAM", members=[], stores=[])
    act(people["admin"], change_team, team.id, name="East", members=[account.id], stores=[store("shop-a")])
    assert [s.name for s in factories.viewer(account.id).stores] == ["shop-a"]
    act(people["admin"], delete_team, team.id)
    assert factories.viewer(account.id).stores == ()
    with pytest.raises(TeamNotFound):
        act(people["admin"], delete_team, team.id)


def test_a_checkout_page_is_changed(people: dict[str, int]) -> None:
    settings: dict[str, Any] = {
        "title": "  Shop  A ", "delivery_allowed": False, "refund_again_after_partial": True,
        "time_zone": "Europe/Berlin", "refund_document_methods": ["Card"], "refund_four_eyes": True,
        "refund_approval_limits": "EUR 500.50; JPY 80000, 10",
        "refund_mail": True, "refund_limit_hours": 48,
    }  # fmt: skip
    act(people["admin"], change_store, store("shop-a"), **settings)
    with viewer_transaction(people["admin"]) as connection:
        admin = factories.viewer(people["admin"])
        [changed] = [s for s in find_stores(connection, admin) if s.name == "shop-a"]
        assert find_payment_methods(connection, admin) == ()
    assert (changed.title, changed.delivery_allowed, changed.time_zone, changed.refund_document_methods) == (
        "Shop A", False, "Europe/Berlin", ("Card",),
    )  # fmt: skip
    assert (changed.refund_mail, changed.refund_limit_hours) == (True, 48)
    assert changed.refund_four_eyes
    assert changed.refund_approval_limits == {"EUR": "500.50", "JPY": "80000", "*": "10"}
    for wrong, field in (
        ({"time_zone": "Mars"}, "time_zone"),
        ({"title": "x" * 201}, "title"),
        ({"refund_approval_limits": "EUR x"}, "refund_approval_limits"),
        ({"refund_limit_hours": 0}, "refund_limit_hours"),
    ):
        with pytest.raises(InvalidInput) as raised:
            act(people["admin"], change_store, store("shop-a"), **settings | wrong)
        assert raised.value.field == field
    with pytest.raises(StoreNotFound):
        act(people["admin"], change_store, 10**6, **settings)


@pytest.mark.parametrize("name", ["anna", "carla", "rita"])
def test_nobody_else_administers(name: str, people: dict[str, int]) -> None:
    target, grants = people["anna"], Grants(Role.ADMINISTRATOR)
    page: dict[str, Any] = {
        "title": "x", "delivery_allowed": True, "refund_again_after_partial": True, "time_zone": None,
        "refund_document_methods": None, "refund_four_eyes": False, "refund_approval_limits": "",
        "refund_mail": False, "refund_limit_hours": None,
    }  # fmt: skip
    team: dict[str, Any] = {"name": "x", "members": [], "stores": []}
    changes: list[tuple[Action[...], tuple[Any, ...], dict[str, Any]]] = [
        (create_account, (), {"email": "x@example.com", "name": "x", "grants": grants}),
        (change_account, (target,), {"name": "x", "grants": grants}),
        *((work, (target,), {}) for work in (reset_password, disable_account, enable_account, end_sessions)),
        (create_team, (), team),
        (change_team, (1,), team),
        (delete_team, (1,), {}),
        (change_store, (store("shop-a"),), page),
    ]
    before = repr(
        [run(f"SELECT * FROM {table} ORDER BY 1") for table in ("account", "team", "checkout_page", "mail")]
    )
    for work, arguments, named in changes:
        with pytest.raises(NotAllowed):
            act(people[name], work, *arguments, **named)
    with viewer_transaction(people[name]) as connection:
        for look in (find_accounts, find_teams, find_stores, find_payment_methods):
            with pytest.raises(NotAllowed):
                look(connection, factories.viewer(people[name]))
    assert before == repr(
        [run(f"SELECT * FROM {table} ORDER BY 1") for table in ("account", "team", "checkout_page", "mail")]
    )
