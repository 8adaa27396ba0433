"""A part of a page that reruns by itself: it notices what has happened to its session, and asks once per draw."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.portal import PROJECT, Portal, add_account, wait_for
from tests.support.ports import free_port
from tests.support.signing_in import sign_in_by_form

_FRAGMENT = """
import sys
sys.path.insert(0, {project!r})
import streamlit as st
from pages.components.layout import session
from pages.components.layout.fragments import fragment
from pages.web.bare_run import allow_pages
from services.authentication import sessions
allow_pages()
if not hasattr(sessions, "questions"):  # once per process: every question to the database is counted
    ask, sessions.questions = sessions.viewer_of_token, []
    sessions.viewer_of_token = lambda token: sessions.questions.append(token) or ask(token)
if session.find_viewer() is None:
    st.text("at the gate")
    st.stop()
st.text(f"whole runs: {{st.session_state.setdefault('runs', 0) + 1}}")
st.session_state.runs += 1
@fragment
def part():
    st.session_state.parts = st.session_state.get("parts", 0) + 1
    st.button("Again")
    before = len(sessions.questions)
    st.text(f"{{session.current_viewer().name}}, part runs: {{st.session_state.parts}}")
    st.text(f"role: {{session.current_viewer().role}}, asked: {{len(sessions.questions) - before}}")
part()
"""


@pytest.fixture
def fragment_url(portal: Portal, tmp_path: Path) -> Iterator[str]:
    """A script with one fragment, over the same database."""
    script = tmp_path / "fragment.py"
    script.write_text(_FRAGMENT.format(project=str(PROJECT)))
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": portal.database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://localhost:{port}/_stcore/health", server)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)


def test_a_fragment_alone_notices_that_its_session_has_ended(
    portal: Portal, page: Page, fragment_url: str
) -> None:
    email = add_account(portal, "Fatima")
    page.goto("/profile")
    sign_in_by_form(page, email)  # cookies of localhost are those of all its ports
    page.goto(fragment_url)
    page.get_by_role("button", name="Again").click()
    expect(page.get_by_text("Fatima, part runs: 2")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("whole runs: 1")).to_be_visible()
    portal.execute("UPDATE account SET disabled_at = now() WHERE email = %s", email)
    page.get_by_role("button", name="Again").click()
    expect(page.get_by_text("at the gate")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Fatima")).to_have_count(0)


def test_a_fragment_alone_asks_once_and_sees_the_rights_of_now(
    portal: Portal, page: Page, fragment_url: str
) -> None:
    """Were Streamlit to draw the fragment again past our decorator, it would ask twice."""
    email = add_account(portal, "Filip")
    page.goto("/profile")
    sign_in_by_form(page, email)
    page.goto(fragment_url)
    page.get_by_role("button", name="Again").click()
    expect(page.get_by_text("Filip, part runs: 2")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("role: specialist, asked: 1")).to_be_visible()
    portal.execute("UPDATE account SET role = 'analyst' WHERE email = %s", email)
    page.get_by_role("button", name="Again").click()
    expect(page.get_by_text("role: analyst, asked: 1")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("whole runs: 1")).to_be_visible()
