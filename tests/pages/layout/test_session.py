"""Who is signed in, asked once per run and known for no longer."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.layout import session
from services.access import Viewer
from services.authentication import sessions
from tests.support import factories

# One page with what a page of ours is made of: a part that is drawn by itself, a callback, several questions in a run.
_PAGE = """
import streamlit as st
from pages.components.layout import session
from pages.components.layout.fragments import fragment

def note():
    st.session_state.noted = session.current_viewer().role

@fragment
def part():
    st.text(f"part {session.current_viewer().role} {len(session.current_viewer().stores)}")

with session.one_check():
    if session.find_viewer() is None:
        st.text("at the gate")
        st.stop()
    st.button("Note", on_click=note)
    st.text(f"page {session.current_viewer().role} {len(session.current_viewer().stores)}")
    part()
"""


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A token for each question that went to the database."""
    asked: list[str] = []
    ask = sessions.viewer_of_token

    def ask_and_count(token: str) -> Viewer | None:
        asked.append(token)
        return ask(token)

    monkeypatch.setattr(sessions, "viewer_of_token", ask_and_count)
    return asked


@pytest.fixture(scope="module", autouse=True)
def another_administrator(database: str) -> None:
    """There must remain one."""
    factories.account("remaining", role="administrator")


@pytest.fixture
def account_id(database: str) -> int:
    factories.run("DELETE FROM account WHERE email = 'sara@test.example'")
    return factories.account("sara", stores=["shop-a", "shop-b"])


@pytest.fixture
def page(account_id: int) -> AppTest:
    at = AppTest.from_string(_PAGE, default_timeout=30)
    at.session_state[session.TOKEN_KEY] = factories.session(account_id)
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def texts(at: AppTest) -> list[str]:
    return [element.value for element in at.text]


@pytest.mark.parametrize(
    ("withdrawn", "rights"),
    [
        ("UPDATE account SET role = 'analyst' WHERE id = :id", "analyst 2"),
        (
            "DELETE FROM account_page a USING checkout_page p WHERE p.id = a.checkout_page_id AND p.name = 'shop-b'",
            "specialist 1",
        ),
    ],
)
def test_rights_withdrawn_between_two_runs_are_gone_in_the_second(
    page: AppTest, account_id: int, withdrawn: str, rights: str
) -> None:
    assert texts(page) == ["page specialist 2", "part specialist 2"]
    factories.run(withdrawn, id=account_id)
    assert texts(run(page)) == [f"page {rights}", f"part {rights}"]


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE account SET disabled_at = now() WHERE id = :id",
        "UPDATE account_session SET ended_at = now(), ended_because = 'signed out' WHERE account_id = :id",
    ],
)
def test_a_session_that_ended_between_two_runs_is_gone_in_the_second(
    page: AppTest, account_id: int, end: str
) -> None:
    factories.run(end, id=account_id)
    assert texts(run(page)) == ["at the gate"]


def test_a_callback_which_runs_before_the_page_sees_the_rights_of_now(page: AppTest, account_id: int) -> None:
    factories.run("UPDATE account SET role = 'analyst' WHERE id = :id", id=account_id)
    page.button[0].click()
    run(page)
    assert page.session_state["noted"] == "analyst"


def test_a_run_asks_once_and_a_callback_once_more(page: AppTest, questions: list[str]) -> None:
    run(page)
    assert len(questions) == 1
    page.button[0].click()
    run(page)
    assert len(questions) == 3


def test_a_run_that_broke_off_leaves_no_answer_behind(account_id: int, questions: list[str]) -> None:
    at = AppTest.from_string(
        "import streamlit as st\n"
        "from pages.components.layout import session\n"
        "with session.one_check():\n"
        "    session.current_viewer()\n"
        "    if not st.session_state.pop('is_second', False):\n"
        "        st.session_state.is_second = True\n"
        "        st.rerun()\n"
        "    raise ValueError\n",
        default_timeout=30,
    )
    at.session_state[session.TOKEN_KEY] = factories.session(account_id)
    at.run()
    assert len(questions) == 2, "one for each of the two runs"
    at.session_state["is_second"] = True
    at.run()
    assert len(questions) == 3, "and one after the run that failed"


def test_a_question_outside_of_a_check_is_never_answered_from_memory(
    account_id: int, questions: list[str]
) -> None:
    at = AppTest.from_string(
        "from pages.components.layout import session\nsession.find_viewer()\nsession.find_viewer()\n",
        default_timeout=30,
    )
    at.session_state[session.TOKEN_KEY] = factories.session(account_id)
    run(at)
    assert len(questions) == 2


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
        with session.one_check():
            named("page")
            part()


def opened(account_id: int) -> AppTest:
    app = AppTest.from_function(pieces, default_timeout=30)
    app.session_state[session.TOKEN_KEY] = factories.session(account_id)
    return app


def seen(app: AppTest) -> list[tuple[str, bool | None]]:
    reruns: list[tuple[str, bool | None]] = app.session_state["seen"]
    app.session_state["seen"] = []
    return reruns


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
