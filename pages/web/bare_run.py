"""Whether the pages are served by pages/web/server.py. `streamlit run app.py` serves them too, but without the gate."""

from typing import Final

REFUSAL: Final = "This portal has to be started by its own web server. Type: make run"

_is_served = False


def allow_pages() -> None:
    """Called by pages/web/server.py, which brings the routes, the security headers and the checks of addresses."""
    global _is_served
    _is_served = True


def are_pages_allowed() -> bool:
    return _is_served
