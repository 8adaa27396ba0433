"""The web server: Streamlit's pages and our own routes in one process. Started with `streamlit run pages/server.py`."""

import importlib.util
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
# `streamlit run` puts this file's folder first, where profile.py would stand in for Python's own module.
sys.path[:] = [
    str(PROJECT),
    *(entry for entry in sys.path if Path(entry or ".").resolve() not in (PROJECT, PROJECT / "pages")),
]

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.routing import BaseRoute, Route  # noqa: E402
from streamlit.runtime.pages_manager import PagesManager  # noqa: E402

from pages.components.web import SecurityHeaders, health  # noqa: E402

# Until the first session has called st.navigation, Streamlit would run the files of a folder named "pages" by
# themselves, past the gate in app.py.
PagesManager.uses_pages_directory = False


def _routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [Route("/health", health)]
    if importlib.util.find_spec("pages.routes") is not None:
        from pages.routes import ROUTES

        routes.extend(ROUTES)
    return routes


app = st.App(PROJECT / "app.py", routes=_routes(), middleware=[Middleware(SecurityHeaders)])
