"""What the portal uses of Streamlit without its promise to keep it, in one place. All read at Streamlit 1.67.0.

A change shows in the test that is named with each.
"""

from typing import Final

from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

# The threads that run pages, and only while they run. No test: with another name, exports stop giving way to pages.
PAGES_THREAD: Final = "ScriptRunner."
# The cookies that hold the provider's answer and tokens for 30 days. tests/browser/test_single_sign_on.py
IDENTITY_COOKIE: Final = "_streamlit_user"
TOKENS_COOKIE: Final = "_streamlit_user_tokens"


def tab_id() -> str | None:
    """What Streamlit calls the tab whose page is running; None outside. tests/browser/test_session_ended.py"""
    context = get_script_run_ctx()
    return context.session_id if context else None


def name_no_pages_by_folder() -> None:
    """Keeps Streamlit from running the files of a folder named "pages" by themselves, past the gate in app.py.

    It would until the first session has called `st.navigation`. tests/pages/web/test_gate_of_pages.py
    """
    PagesManager.uses_pages_directory = False
