"""AppTest runs `app.py` as the server does."""

from typing import Any

import pytest
from streamlit.runtime import context
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import app_test

from pages.web.bare_run import allow_pages


class ServersPagesManager(PagesManager):
    """Without Streamlit's own reading of the folder "pages", which pages/web/server.py turns off (and AppTest on)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*arguments, **options)


@pytest.fixture(autouse=True)
def as_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_pages()
    monkeypatch.setattr(app_test, "PagesManager", ServersPagesManager)
    # There is no browser behind AppTest: no cookies and no address, rather than pretended ones.
    monkeypatch.setattr(context, "_get_client_context", lambda: None)
