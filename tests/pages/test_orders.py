"""The Orders page as a script: what it draws and keeps, with a signed-in viewer over a real database."""

import pytest
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from db.connections.engine import app_engine
from pages.components.layout import session
from pages.components.orders.form_fields import DATE_LABELS, TEXT_LABELS
from tests.support import factories
from tests.support.factories import document, item


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    factories.take_in(
        *(document(order_id=n, customer={"first_name": "Ana" if n % 2 else "Ben", "last_name": "![x](http://e.example/x)"},
                   items=[item(activation_codes=[{"code": f"CODE-{n}"}])]) for n in range(1, 61)),
        document(order_id=900, checkout_page="shop-b", customer={"first_name": "Ana"}),
    )  # fmt: skip
    return factories.account("anna", stores=["shop-a"])


@pytest.fixture
def page(anna: int) -> AppTest:
    return opened(anna)


def opened(account_id: int) -> AppTest:
    token = factories.session(account_id)
    app = AppTest.from_file("../../app.py", default_timeout=30)
    app.session_state[session.TOKEN_KEY] = token
    app.run()
    assert not app.exception
    return app


def test_who_has_no_stores_is_told_whom_to_ask(anna: int) -> None:
    [sentence] = [info.value for info in opened(factories.account("nobody")).info]
    assert sentence.startswith("No store has been granted to you yet.")


def count(app: AppTest) -> str:
    [status] = [h for h in htmls(app) if 'role="status"' in h]
    return status.split('role="status">')[1].split("<")[0]


def htmls(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


def drawn(app: AppTest) -> list[str]:
    """The first lines of the orders drawn in full."""
    return [h for h in htmls(app) if 'aria-label="Order A' in h]


def find(app: AppTest, **fields: str) -> AppTest:
    for name, value in fields.items():
        widget = app.text_area if name == "order_ids" else app.text_input
        widget(key=f"search_{name}").set_value(value)
    [button] = [b for b in app.button if b.label == "Find"]
    button.click().run()
    assert not app.exception
    return app


def test_every_field_has_its_label(page: AppTest) -> None:
    labels = {w.label for w in [*page.text_input, *page.text_area, *page.selectbox]}
    assert labels >= {*TEXT_LABELS.values(), *DATE_LABELS.values()}
    assert {w.label for w in page.checkbox} == {
        "Not paid", "Paid", "Deleted", "Terminated", "Not delivered", "Delivered", "Refund request has been sent",
        "Refund info is being updated", "Request has been completed", "Refusal to refund",
    }  # fmt: skip
    assert page.multiselect(key="search_stores").options == ["shop-a"]


def test_the_empty_form_lists_the_first_fifty_of_hers(page: AppTest) -> None:
    assert count(page) == "60 orders"
    assert len(page.dataframe[0].value) == 50
    assert list(page.dataframe[0].value.columns) == [
        "Order", "Total", "Status", "Created", "Paid", "Name", "Email", "Company", "Store",
    ]  # fmt: skip


def test_a_click_on_find_searches_once(page: AppTest) -> None:
    sent: list[str] = []

    def heard(_: object, __: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    engine = app_engine()
    event.listen(engine, "before_cursor_execute", heard)
    try:
        find(page, first_name="ana")
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    assert len([statement for statement in sent if "created_at DESC" in statement]) == 1


def test_older_leads_to_the_rest(page: AppTest) -> None:
    page.button(key="page_older").click().run()
    assert len(page.dataframe[0].value) == 10
    page.button(key="page_newer").click().run()
    assert len(page.dataframe[0].value) == 50


def test_errors_stand_by_their_fields_and_nothing_is_searched(page: AppTest) -> None:
    find(page, order_ids="12 abc", card_last_4="12", created_from="02/03/2026", created_to="2026-03-01")
    sentences = [h for h in htmls(page) if 'role="alert"' in h]
    assert len(sentences) == 3 and "“abc”" in sentences[0]
    assert not page.dataframe
    assert page.text_area(key="search_order_ids").value == "12 abc"


@pytest.mark.parametrize("name", list(DATE_LABELS))
@pytest.mark.parametrize(
    "typed", ["31.02.2026", "01/02/1913", "25/13/2026", "11/2026", "soon", "20261131", "0"]
)
def test_what_is_no_day_is_an_error_and_searches_nothing(page: AppTest, name: str, typed: str) -> None:
    find(page, first_name="ana")
    find(page, first_name="ben", **{name: typed})
    assert len([h for h in htmls(page) if 'role="alert"' in h]) == 1
    assert not page.dataframe
    assert page.text_input(key=f"search_{name}").value == typed


def test_days_of_all_years_that_orders_have_are_searched(page: AppTest) -> None:
    find(page, created_from="01/01/1970", created_to="31.12.2200")
    assert count(page) == "60 orders"
    assert page.text_input(key="search_created_to").value == "31/12/2200"
    find(page, created_from="2013-02-01", created_to="")
    assert count(page) == "0 orders"


def test_one_result_opens_itself(page: AppTest) -> None:
    find(page, activation_code="code-17")
    assert count(page) == "1 order"
    [order] = drawn(page)
    assert "A0000000017" in order
    assert "Order items" in "".join(htmls(page))


def test_a_chip_takes_its_filter_away(page: AppTest) -> None:
    find(page, first_name="ana", order_ids="1 2 3")
    assert count(page) == "2 orders"
    [chip] = [b for b in page.button if b.label.startswith("First Name")]
    chip.click().run()
    assert count(page) == "3 orders"
    assert page.text_input(key="search_first_name").value == ""


def test_a_hostile_filter_is_escaped_in_its_chip(page: AppTest) -> None:
    find(page, last_name="![x](http://e.example/x)")
    [chip] = [b for b in page.button if b.label.startswith("Last Name")]
    assert "![" not in chip.label


def test_the_full_view_shows_ten_orders_and_turns_pages(page: AppTest) -> None:
    page.segmented_control(key="results_view").set_value("Full").run()
    assert len(drawn(page)) == 10 and "A0000000060" in drawn(page)[0]
    assert not page.dataframe
    page.button(key="page_older").click().run()
    assert "A0000000050" in drawn(page)[0]


def test_nothing_found_says_what_to_try(page: AppTest) -> None:
    find(page, first_name="Nobody")
    assert count(page) == "0 orders"
    assert "take one filter away" in page.info[0].value


def test_a_session_that_ends_meanwhile_shows_no_order(page: AppTest) -> None:
    factories.run("UPDATE account_session SET ended_at = now(), ended_because = 'signed out'")
    page.run()
    assert not page.dataframe and not drawn(page)
    assert [b.label for b in page.button] == ["Sign in", "Forgot password?"]


def test_the_address_alone_makes_the_whole_page_again(page: AppTest) -> None:
    find(page, first_name="ana")
    ana = dict(page.query_params)
    assert set(ana) == {"s"}
    find(page, first_name="ben")
    page.button(key="chip_0").click().run()
    assert not page.query_params and count(page) == "60 orders"
    page.query_params["s"] = ana["s"]
    page.query_params["order"] = ["17"]
    page.run()
    assert count(page) == "30 orders" and "A0000000017" in drawn(page)[0]
    assert page.text_input(key="search_first_name").value == "ana"
    assert [b.label for b in page.button if b.label.startswith("First Name")] == ["First Name\\: ana"]
    del page.query_params["order"]
    page.query_params["view"] = ["full"]
    page.run()
    assert len(drawn(page)) == 10 and not page.dataframe


@pytest.mark.parametrize(
    "address",
    [{"order": "x"}, {"order": "9" * 30}, {"after": "x"}, {"view": "x"}, {"s": "x" * 22}, {"before": "AAAA"}],
)
def test_an_odd_address_is_no_error_and_stays(page: AppTest, address: dict[str, str]) -> None:
    page.query_params.clear()
    for name, value in address.items():
        page.query_params[name] = [value]
    page.run()
    assert not page.exception
    assert {
        name: [value] if isinstance(value, str) else value for name, value in page.query_params.items()
    } == {name: [value] for name, value in address.items()}
