"""The web server: Streamlit's pages and the portal's own routes in one process.

Started with `streamlit run pages/web/server.py`.
"""

import gc
import importlib
import sys
from pathlib import Path
from typing import Any, Final

PROJECT = Path(__file__).resolve().parents[2]
# `streamlit run` puts this file's folder first, where a module of the portal could shadow one of Python's own.
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

from pages.web.bare_run import allow_pages  # noqa: E402
from pages.web.gate import SESSION_PATH, Gate, change_cookies  # noqa: E402
from pages.web.helpdesk import HELP_DESK_ROUTES  # noqa: E402
from pages.web.hooks import HOOK_ROUTES  # noqa: E402
from pages.web.provider_answers import ProviderAnswers  # noqa: E402
from pages.web.proxies import TrustedProxies  # noqa: E402
from pages.web.routes import ROUTES  # noqa: E402
from pages.web.security_headers import SecurityHeaders, health, ready  # noqa: E402
from pages.web.streamlit_private import ignore_forwarded_headers, ignore_pages_folder  # noqa: E402
from services.recognition.recognizer import prepare as prepare_recognition  # noqa: E402
from services.sealed_values import web_server_secret  # noqa: E402
from services.settings import settings  # noqa: E402

allow_pages()
ignore_pages_folder()
ignore_forwarded_headers()


def _routes() -> list[BaseRoute]:
    return [
        Route("/health", health),
        Route("/readyz", ready),
        Route(SESSION_PATH, change_cookies, methods=["POST"]),
        *ROUTES,
        *HELP_DESK_ROUTES,
        *HOOK_ROUTES,
    ]


def _secrets() -> dict[str, Any] | None:
    """Streamlit's settings for single sign-on; None without a provider."""
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
    """Load the modules that every page needs before the first request, and hide them from the garbage collector.

    They stay until the process ends: a full collection that visits them all stops every page for a tenth of a second.
    """
    for module in _NEEDED_BY_EVERY_PAGE:
        importlib.import_module(module)
    prepare_recognition()
    gc.collect()
    gc.freeze()


_settle_memory()
# How long one thread runs while others wait, in seconds. A page that waits behind another page or an export pays it at
# each of its statements; Python's own value is five milliseconds.
sys.setswitchinterval(0.001)
# The same in every process of one portal, so that a browser may begin at one and go on at another.
config.set_option("server.cookieSecret", web_server_secret())
app = st.App(
    PROJECT / "app.py",
    routes=_routes(),
    middleware=[
        Middleware(TrustedProxies),
        Middleware(SecurityHeaders),
        Middleware(Gate),
        Middleware(ProviderAnswers),
    ],
    secrets=_secrets(),
)
