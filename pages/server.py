"""The web server: Streamlit's pages and our own routes in one process. Started with `streamlit run pages/server.py`."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
# `streamlit run` puts this file's folder first, where profile.py would stand in for Python's own module.
sys.path[:] = [
    str(PROJECT),
    *(entry for entry in sys.path if Path(entry or ".").resolve() not in (PROJECT, PROJECT / "pages")),
]

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.routing import BaseRoute, Route  # noqa: E402
from streamlit import config  # noqa: E402
from streamlit.runtime.pages_manager import PagesManager  # noqa: E402

from db.settings import settings  # noqa: E402
from pages.components.provider_web import ProviderAnswers  # noqa: E402
from pages.components.web import SecurityHeaders, health  # noqa: E402
from services.sign_in import web_server_secret  # noqa: E402

# Until the first session has called st.navigation, Streamlit would run the files of a folder named "pages" by
# themselves, past the gate in app.py.
PagesManager.uses_pages_directory = False


def _routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [Route("/health", health)]
    if importlib.util.find_spec("pages.routes") is not None:
        from pages.routes import ROUTES

        routes.extend(ROUTES)
    return routes


def _secrets() -> dict[str, Any] | None:
    """What Streamlit wants to know for single sign-on; None where there is no provider."""
    current = settings()
    if current.provider is None:
        return None
    return {
        "auth": {
            "redirect_uri": f"{current.base_url}/oauth2callback",
            "cookie_secret": web_server_secret(),
            "client_id": current.provider.client_id,
            "client_secret": current.provider.client_secret,
            "server_metadata_url": current.provider.metadata_url,
        }
    }


# The same at every process of one portal, so that a browser may begin at one and go on at another.
config.set_option("server.cookieSecret", web_server_secret())
app = st.App(
    PROJECT / "app.py",
    routes=_routes(),
    middleware=[Middleware(SecurityHeaders), Middleware(ProviderAnswers)],
    secrets=_secrets(),
)
