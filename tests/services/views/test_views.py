"""Views: whose they are, who changes them, and what they find."""

from datetime import date
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from db.connections.engine import viewer_transaction
from db.connections.viewers import SignedIn
from db.schema.statuses import DeliveryStatus, MainStatus
from services.access import Viewer
from services.actions import Action, ActionRequest, perform
from services.errors import Conflict, InvalidInput, NotAllowed, NotFound
from services.orders.detail import get_order
from services.orders.filters import OrderFilter, SearchInput, parse_filter
from services.orders.opened import find_opened
from services.orders.periods import Period
from services.orders.search import OrderCount
from services.views import changes
from services.views.changes import change_view, delete_view, save_view
from services.views.listing import count_views, find_view_teams, find_views, move_view
from services.views.models import ExportChoice, NotYourView, OrderView, ViewNotFound, with_periods
from tests.support import factories
from tests.support.factories import document, run

UTC = ZoneInfo("UTC")
UNDELIVERED = parse_filter(SearchInput(delivery=frozenset({DeliveryStatus.NOT_DELIVERED})), zone=UTC)
CHOICE = ExportChoice("item", "xlsx", ("Order", "Total"))


@pytest.fixture(scope="module")
def accounts(database: str) -> dict[str, SignedIn]:
    for number in range(1, 16):
        store = "shop-b" if number > 12 else "shop-a"
        factories.take_in(document(order_id=number, order_name=f"A{number:03}", checkout_page=store))
    everybody = {name: factories.account(name, stores=["shop-a"]) for name in ("anna", "berta", "carl")}
    everybody["dora"] = factories.account("dora", stores=["shop-b"])
    everybody["admin"] = factories.account("admin", role="administrator")
    run("INSERT INTO team (name) VALUES ('Care'), ('Other')")
    for name in ("anna", "berta", "dora"):
        run(
            "INSERT INTO team_member SELECT id, :account FROM team WHERE name = 'Care'",
            account=int(everybody[name]),
        )
    return everybody


@pytest.fixture(autouse=True)
def _without_views() -> None:
    run("DELETE FROM order_view")


def act(account_id: SignedIn, action: Action[...], *args: object, **kwargs: object) -> str:
    request = ActionRequest(key=uuid4(), address=None)
    return perform(factories.viewer(account_id), request, action, *args, **kwargs)


def team(name: str = "Care") -> int:
    [[team_id]] = run("SELECT id FROM team WHERE name = :name", name=name)
    return int(team_id)


def views(account_id: SignedIn) -> tuple[OrderView, ...]:
    with viewer_transaction(account_id) as connection:
        return find_views(connection, factories.viewer(account_id))


def names(account_id: SignedIn) -> list[str]:
    return [view.name for view in views(account_id)]


def save(
    account_id: SignedIn, name: str, *, team_id: int | None = None, search: OrderFilter = UNDELIVERED
) -> int:
    act(account_id, save_view, name=name, team_id=team_id, search=search, export=CHOICE)
    return next(view.id for view in views(account_id) if view.name == " ".join(name.split()))


def test_a_view_is_what_was_saved_and_its_authors_alone(accounts: dict[str, SignedIn]) -> None:
    save(accounts["anna"], "  To   deliver ")
    [view] = views(accounts["anna"])
    assert (view.name, view.team, view.typed, view.export) == ("To deliver", None, UNDELIVERED.typed, CHOICE)
    assert view.is_mine and view.may_change
    for other in ("berta", "carl", "admin"):
        assert names(accounts[other]) == []
    for other in ("berta", "admin"):
        with pytest.raises(ViewNotFound):
            act(accounts[other], delete_view, view.id)


def test_a_teams_view_is_seen_by_the_team_and_changed_by_author_or_administrator(
    accounts: dict[str, SignedIn],
) -> None:
    view_id = save(accounts["anna"], "Ours", team_id=team())
    assert names(accounts["berta"]) == names(accounts["admin"]) == ["Ours"]
    assert names(accounts["carl"]) == []
    assert [view.may_change for view in views(accounts["berta"])] == [False]
    with pytest.raises(NotYourView):
        act(accounts["berta"], change_view, view_id, name="Mine now", team_id=team())
    with pytest.raises(NotYourView):
        act(accounts["berta"], delete_view, view_id)
    act(accounts["admin"], change_view, view_id, name="Everybody's", team_id=team("Other"))
    assert names(accounts["anna"]) == ["Everybody's"] and names(accounts["berta"]) == []
    with pytest.raises(InvalidInput, match="Only its author"):
        act(accounts["admin"], change_view, view_id, name="x", team_id=None)
    act(accounts["anna"], change_view, view_id, name="Mine again", team_id=None)
    assert names(accounts["admin"]) == [] and names(accounts["anna"]) == ["Mine again"]


def test_a_period_stays_relative_in_the_viewers_own_days(accounts: dict[str, SignedIn]) -> None:
    search = parse_filter(SearchInput(created_period=Period.YESTERDAY), zone=UTC)
    assert search.typed.created_from is not None
    save(accounts["anna"], "Yesterday", search=search)
    [view] = views(accounts["anna"])
    assert view.typed == SearchInput(created_period=Period.YESTERDAY) == with_periods(search.typed)
    later = parse_filter(view.typed, zone=UTC, today=date(2026, 3, 1)).typed
    assert later.created_from == later.created_to == date(2026, 2, 28)


def test_nobody_shares_with_a_team_that_is_not_theirs(accounts: dict[str, SignedIn]) -> None:
    with pytest.raises(InvalidInput, match="team"):
        save(accounts["anna"], "x", team_id=team("Other"))
    with pytest.raises(InvalidInput, match="team"):
        save(accounts["carl"], "x", team_id=team())
    with viewer_transaction(accounts["anna"]) as connection:
        assert [t.name for t in find_view_teams(connection, factories.viewer(accounts["anna"]))] == ["Care"]
    view_id = save(accounts["anna"], "x")
    # The database refuses as well, whatever a service forgets.
    statement = f"UPDATE order_view SET team_id = {team('Other')} WHERE id = {view_id}"
    with factories.refused_by_the_database(), viewer_transaction(accounts["anna"]) as connection:
        connection.exec_driver_sql(statement)


def test_a_search_and_an_export_are_replaced_and_a_name_is_unique_beside_others(
    accounts: dict[str, SignedIn],
) -> None:
    view_id = save(accounts["anna"], "First")
    save(accounts["anna"], "Second")
    save(accounts["berta"], "First")
    paid = parse_filter(SearchInput(statuses=frozenset({MainStatus.PAID})), zone=UTC)
    act(
        accounts["anna"], change_view, view_id, name="First", team_id=None, search=paid, export=ExportChoice()
    )
    assert [(v.typed, v.export) for v in views(accounts["anna"]) if v.id == view_id] == [
        (paid.typed, ExportChoice())
    ]
    with pytest.raises(InvalidInput, match="of this name"):
        act(accounts["anna"], change_view, view_id, name="SECOND", team_id=None)
    for name in ("", " ", "x" * 61, "\u200b" * 3):
        with pytest.raises(InvalidInput):
            save(accounts["anna"], name)


def test_there_is_an_end_to_the_number_of_views(
    accounts: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_VIEWS", 2)
    save(accounts["anna"], "1")
    save(accounts["anna"], "2")
    with pytest.raises(Conflict):
        save(accounts["anna"], "3")


def test_everybody_orders_views_for_themselves(accounts: dict[str, SignedIn]) -> None:
    first, second = save(accounts["anna"], "First"), save(accounts["anna"], "Second", team_id=team())
    save(accounts["berta"], "Berta's")
    for account_id, view_id, up in ((accounts["anna"], second, True), (accounts["berta"], second, True)):
        with viewer_transaction(account_id) as connection:
            move_view(connection, factories.viewer(account_id), view_id, up=up)
    assert names(accounts["anna"]) == ["Second", "First"]
    assert names(accounts["berta"]) == ["Second", "Berta's"]
    with pytest.raises(NotFound), viewer_transaction(accounts["berta"]) as connection:
        move_view(connection, factories.viewer(accounts["berta"]), first, up=True)
    save(accounts["anna"], "Newest")
    assert names(accounts["anna"]) == ["Second", "First", "Newest"]


def test_orders_are_counted_in_the_viewers_own_scope(accounts: dict[str, SignedIn]) -> None:
    save(accounts["anna"], "All", team_id=team(), search=OrderFilter.empty(UTC))
    run("""UPDATE order_view SET filters = '{"zone": "UTC", "fields": {"later": "x"}}' WHERE name = 'x'""")
    counted = {}
    for name in ("anna", "dora"):
        asks: Viewer = factories.viewer(accounts[name])
        with viewer_transaction(accounts[name]) as connection:
            found = find_views(connection, asks)
            counted[name] = list(count_views(connection, asks, found, zone=UTC).values())
    assert counted == {"anna": [OrderCount(12, False)], "dora": [OrderCount(3, False)]}


def test_a_view_that_cannot_be_read_is_listed_and_has_no_number(accounts: dict[str, SignedIn]) -> None:
    save(
        accounts["anna"],
        "Readable",
        search=parse_filter(SearchInput(created_from=date(2026, 1, 1)), zone=UTC),
    )
    save(accounts["anna"], "Later")
    run(
        """UPDATE order_view SET filters = '{"zone": "UTC", "fields": {"later": "x"}}' WHERE name = 'Later'"""
    )
    asks = factories.viewer(accounts["anna"])
    with viewer_transaction(accounts["anna"]) as connection:
        readable, later = find_views(connection, asks)
        assert later.typed is None
        assert list(count_views(connection, asks, (later, readable), zone=UTC)) == [readable.id]


def test_a_deleted_team_leaves_its_views_to_their_authors(accounts: dict[str, SignedIn]) -> None:
    run("INSERT INTO team (name) VALUES ('Gone')")
    run(
        "INSERT INTO team_member SELECT id, :id FROM team WHERE name = 'Gone'",
        id=int(accounts["berta"]),
    )
    save(accounts["berta"], "Kept", team_id=team("Gone"))
    run("DELETE FROM team WHERE name = 'Gone'")
    assert [(v.name, v.team) for v in views(accounts["berta"])] == [("Kept", None)]
    gone = factories.account("gone")
    save(gone, "With its author")
    run("DELETE FROM account WHERE id = :id", id=int(gone))
    assert run("SELECT name FROM order_view") == [("Kept",)]


def test_a_disabled_account_has_no_views(accounts: dict[str, SignedIn]) -> None:
    off = factories.account("off", stores=["shop-a"])
    save(off, "x")
    asks = factories.viewer(off)
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=int(off))
    with pytest.raises(NotAllowed):
        act(off, save_view, name="y", team_id=None, search=UNDELIVERED, export=CHOICE)
    with viewer_transaction(off) as connection:
        assert find_views(connection, asks) == ()


def test_the_last_ten_orders_opened_are_those_still_in_scope(accounts: dict[str, SignedIn]) -> None:
    account_id = accounts["carl"]
    asks = factories.viewer(account_id)

    def opened() -> list[int]:
        with viewer_transaction(account_id) as connection:
            return [order.order_id for order in find_opened(connection, asks)]

    assert opened() == []
    for number in (*range(1, 13), 5, 14, 99):
        with viewer_transaction(account_id) as connection:
            try:
                get_order(connection, asks, number, is_opened=True)
            except NotFound:
                continue
    assert opened() == [5, 12, 11, 10, 9, 8, 7, 6, 4, 3]
    run("UPDATE opened_orders SET order_ids = '{14, 5, 99}' WHERE account_id = :id", id=int(account_id))
    assert opened() == [5]
    run("UPDATE orders SET first_name = 'Ann', customer_erased = false WHERE order_id = 5")
    with viewer_transaction(account_id) as connection:
        assert find_opened(connection, asks)[0].order_name == "A005"
        assert get_order(connection, asks, 6).order_id == 6
    assert opened() == [5], "Only opening an order remembers it."
