"""The search box as a script: what Enter searches for, what it offers besides, and what it says."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.layout import session
from tests.support import factories
from tests.support.factories import document


@pytest.fixture(scope="module")
def anna(database: str) -> int:
    yesterday = (datetime.now(UTC) - timedelta(1)).isoformat()
    factories.take_in(
        document(order_id=4242, order_name="A0000004242", customer={"last_name": "Köhler", "email": "k@example.com"}),
        document(order_id=2, order_name="A0000000002", payment={"card_last_4": "4242"}),
        document(order_id=3, order_name="A0000000003", payment={"card_last_4": "4242"}, create_date=yesterday),
        document(order_id=4, order_name="A0000000004", customer={"first_name": "Köhler"}),
        document(order_id=5, checkout_page="shop-b", payment={"card_last_4": "4242"}),
    )  # fmt: skip
    return factories.account("anna", stores=["shop-a"])


@pytest.fixture
def page(anna: int) -> AppTest:
    app = AppTest.from_file("../../../app.py", default_timeout=30)
    app.session_state[session.TOKEN_KEY] = factories.session(anna)
    app.run()
    assert not app.exception
    return app


def enter(app: AppTest, text: str) -> AppTest:
    app.text_input(key="search_box").set_value(text)
    app.button(key="search_box_go").click().run()
    assert not app.exception
    return app


def htmls(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def count(app: AppTest) -> str:
    return htmls(app).split('class="es-count" role="status">')[1].split("<")[0]


def rivals(app: AppTest) -> list[str]:
    return [b.label.replace("\\", "") for b in app.button if (b.key or "").startswith("rival_")]


def test_an_order_number_opens_its_order(page: AppTest) -> None:
    enter(page, "A0000004242")
    assert count(page) == "1 order"
    assert 'aria-label="Order A0000004242' in htmls(page)
    assert page.text_area(key="search_order_ids").value == "A0000004242"


def test_four_digits_are_a_card_and_an_order_with_the_number_of_each(page: AppTest) -> None:
    enter(page, "4242")
    assert count(page) == "2 orders"
    assert rivals(page) == ["Card: 4242 · 2 orders", "Order IDs: 4242 · 1 order"]
    page.button(key="rival_1").click().run()
    assert count(page) == "1 order"
    assert page.text_area(key="search_order_ids").value == "4242"
    assert page.text_input(key="search_card_last_4").value == ""
    assert len(rivals(page)) == 2


def test_enter_takes_the_first_reading_that_finds_something(page: AppTest) -> None:
    enter(page, "A0000000004 Köhler")
    assert (page.text_input(key="search_first_name").value, count(page)) == ("Köhler", "1 order")
    assert rivals(page) == []


def test_what_cannot_be_placed_is_said(page: AppTest) -> None:
    enter(page, "k@example.com 14:05")
    assert count(page) == "1 order"
    assert "Not searched for: “14:05”" in htmls(page)


def test_a_text_of_which_nothing_can_be_placed_searches_nothing(page: AppTest) -> None:
    enter(page, "x" * 600)
    [sentence] = [warning.value for warning in page.warning]
    assert sentence.startswith("Nothing was searched: no order can be found by “xxx")


def test_an_empty_box_lists_the_newest_orders(page: AppTest) -> None:
    assert count(enter(enter(page, "k@example.com"), " ")) == "4 orders"


def test_another_search_empties_the_box(page: AppTest) -> None:
    enter(page, "4242")
    [chip] = [button for button in page.button if button.key == "chip_0"]
    chip.click().run()
    assert (page.text_input(key="search_box").value, rivals(page)) == ("", [])
