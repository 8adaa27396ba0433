"""The web server: Streamlit's pages and our own routes in one process. Started with `streamlit run
pages/web/server.py`."""

import gc
import importlib
import sys
from pathlib import Path
from typing import Any, Final

PROJECT = Path(__file__).resolve().parents[2]
# `streamlit run` puts this file's folder first, where a module of ours could stand in for one of Python's own.
sys.path[:] = [
    str(PROJECT),
    *(
        entry
        for entry in sys.path
        if Path(entry or ".").resolve() not in (PROJECT, PROJECT / "pages" / "web")
    ),
]

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.routing import BaseRoute, Route  # noqa: E402
from streamlit import config  # noqa: E402
from streamlit.runtime.pages_manager import PagesManager  # noqa: E402

from pages.web.gate import SESSION_PATH, Doors, change_cookies  # noqa: E402
from pages.web.provider_answers import ProviderAnswers  # noqa: E402
from pages.web.proxies import TrustedProxies, believe_nobody_else  # noqa: E402
from pages.web.routes import ROUTES  # noqa: E402
from pages.web.security_headers import SecurityHeaders, health, ready  # noqa: E402
from services.sealed_values import web_server_secret  # noqa: E402
from services.settings import settings  # noqa: E402

# Until the first session has called st.navigation, Streamlit would run the files of a folder named "pages" by
# themselves, past the gate in app.py.
PagesManager.uses_pages_directory = False


def _routes() -> list[BaseRoute]:
    return [
        Route("/health", health),
        Route("/readyz", ready),
        Route(SESSION_PATH, change_cookies, methods=["POST"]),
        *ROUTES,
    ]


def _secrets() -> dict[str, Any] | None:
    """What Streamlit wants to know for single sign-on; None where there is no provider."""
    current = settings()
    if current.sign_in.provider is None:
        return None
    return {
        "auth": {
            "redirect_uri": f"{current.web.base_url}/oauth2callback",
            "cookie_secret": web_server_secret(),
            "client_id": current.sign_in.provider.client_id,
            "client_secret": current.sign_in.provider.client_secret,
            "server_metadata_url": current.sign_in.provider.metadata_url,
        }
    }


_NEEDED_BY_EVERY_PAGE: Final = (
    *("altair", "pandas"),
    *("pages.components.orders.results", "pages.components.orders.search_form"),
)


def _settle_memory() -> None:
    """Loads what every page needs before anybody asks for one, and takes it out of the garbage collector's sight.

    It stays until the end: a full collection that walks over all of it stops every page for a tenth of a second.
    """
    for module in _NEEDED_BY_EVERY_PAGE:
        importlib.import_module(module)
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
