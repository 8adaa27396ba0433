"""Who is looking at a page: asked anew at each run, of the whole page and of a part of it."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.layout import session
from tests.support import factories


@pytest.fixture(scope="module", autouse=True)
def another_administrator(database: str) -> None:
    factories.account("remaining", role="administrator")


def pieces() -> None:
    """A page that asks in its own run, in a fragment's, in a callback and after them."""
    import streamlit as st

    from pages.components.layout import session
    from pages.components.layout.fragments import fragment

    def named(where: str) -> None:
        viewer = session.find_viewer()
        st.session_state.setdefault("seen", []).append((where, viewer and viewer.may_administer))

    @fragment
    def part() -> None:
        named("fragment")
        st.button("Again", key="again", on_click=named, args=("callback",))

    if st.session_state.get("alone"):
        part()
    else:
        with session.run():
            named("page")
            if act := st.session_state.pop("between", None):
                act()
            named("page")
            part()


def opened(account_id: int) -> AppTest:
    app = AppTest.from_function(pieces, default_timeout=30)
    app.session_state[session.TOKEN_KEY] = factories.session(account_id)
    return app


def seen(app: AppTest) -> list[tuple[str, bool | None]]:
    found: list[tuple[str, bool | None]] = app.session_state["seen"]
    app.session_state["seen"] = []
    return found


def withdraw(account_id: int) -> None:
    factories.run("UPDATE account SET role = 'specialist' WHERE id = :id", id=account_id)


def end_sessions(account_id: int) -> None:
    factories.run("DELETE FROM account_session WHERE account_id = :id", id=account_id)


@pytest.mark.parametrize("alone", [False, True], ids=["page", "fragment alone"])
def test_rights_withdrawn_between_two_runs_are_gone_in_the_next(alone: bool) -> None:
    account_id = factories.account(f"withdrawn-{alone}", role="administrator")
    app = opened(account_id)
    app.session_state["alone"] = alone
    app.run()
    assert {may for _, may in seen(app)} == {True}

    withdraw(account_id)
    app.button(key="again").click().run()

    answers = seen(app)
    assert answers[0][0] == "callback", "asked before the script itself runs"
    assert {may for _, may in answers} == {False}


@pytest.mark.parametrize("alone", [False, True], ids=["page", "fragment alone"])
def test_a_session_ended_between_two_runs_is_over_in_the_next(alone: bool) -> None:
    account_id = factories.account(f"ended-{alone}", role="administrator")
    app = opened(account_id)
    app.session_state["alone"] = alone
    app.run()
    assert {may for _, may in seen(app)} == {True}

    end_sessions(account_id)
    app.button(key="again").click().run()

    assert {may for _, may in app.session_state["seen"]} == {None}


def test_within_one_run_it_is_asked_once_and_again_at_the_begin_of_a_fragment() -> None:
    account_id = factories.account("within", role="administrator")
    app = opened(account_id)
    app.session_state["between"] = lambda: withdraw(account_id)
    app.run()
    assert seen(app) == [("page", True), ("page", True), ("fragment", False)]
