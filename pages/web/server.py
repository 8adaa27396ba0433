"""The web server: Streamlit's pages and our own routes in one process. Started with `streamlit run pages/server.py`."""

import gc
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
from pages.components.doors import SESSION_PATH, Doors, change_cookies  # noqa: E402
from pages.components.provider_web import ProviderAnswers  # noqa: E402
from pages.components.proxies import TrustedProxies, believe_nobody_else  # noqa: E402
from pages.components.web import SecurityHeaders, health  # noqa: E402
from services.sign_in import web_server_secret  # noqa: E402

# Until the first session has called st.navigation, Streamlit would run the files of a folder named "pages" by
# themselves, past the gate in app.py.
PagesManager.uses_pages_directory = False


def _routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route("/health", health),
        Route(SESSION_PATH, change_cookies, methods=["POST"]),
    ]
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


def _settle_memory() -> None:
    """Loads what every page needs before anybody asks for one, and takes it out of the garbage collector's sight.

    It stays until the end: a full collection that walks over all of it stops every page for a tenth of a second.
    """
    import altair  # noqa: F401
    import pandas  # noqa: F401

    import pages.components.order_results
    import pages.components.search_form  # noqa: F401

    gc.collect()
    gc.freeze()


_settle_memory()
believe_nobody_else()
# Others wait for a page or an export that is at work, this long at most. Python's own five milliseconds would be paid
# again at each of a page's questions to the database.
sys.setswitchinterval(0.001)
# The same at every process of one portal, so that a browser may begin at one and go on at another.
config.set_option("server.cookieSecret", web_server_secret())
app = st.App(
    PROJECT / "app.py",
    routes=_routes(),
    middleware=[
        Middleware(TrustedProxies),
        Middleware(SecurityHeaders),
        Middleware(Doors),
        Middleware(ProviderAnswers),
    ],
    secrets=_secrets(),
)
