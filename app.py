"""Navigation and the sign-in gate, nothing else. Served by `streamlit run pages/web/server.py`."""

import streamlit as st

from pages.authentication import (
    authenticator,
    password_reset,
    second_factor,
    set_password,
    sign_in,
    single_sign_on,
)
from pages.components.administration.connection_trouble import count_trouble
from pages.components.layout import frame, session
from pages.components.refunds.waiting import queue_title
from pages.web.bare_run import refuse_bare_run
from pages.web.browser_cookies import RESET
from services.access import Viewer

# Reached by a link on another page, by everybody.
_UNLISTED = frozenset({"customer"})


def main() -> None:
    st.set_page_config(page_title="ESupport portal", layout="wide", page_icon=frame.ICON)
    refuse_bare_run()
    viewer = session.find_viewer()
    may_enter = viewer is not None and viewer.may_enter
    # The same pages for everyone, so that the requested address survives the sign-in.
    pages = _pages(viewer)
    page = st.navigation(pages, position="top" if may_enter else "hidden")
    frame.draw(viewer if may_enter else None, on_sign_out=authenticator.sign_out)
    authenticator.draw_cookie_change()
    if viewer is None:
        single_sign_on.accept()
    if _gate(viewer):
        return
    if page.visibility == "hidden" and page.url_path not in _UNLISTED:
        st.error("This page is not for your account.")
    else:
        page.run()


def _pages(viewer: Viewer | None) -> list[st.Page]:
    """All pages; those that are not for this viewer are hidden."""
    return [
        st.Page("pages/orders.py", title="Orders", default=True),
        _page("refund_queue", queue_title(viewer), shown=viewer is not None and viewer.may_work_refund_queue),
        _page("my_requests", "My refund requests", shown=viewer is not None and viewer.may_act),
        _page("reports", "Reports"),
        _page(
            "administration",
            _administration(count_trouble(viewer)),
            shown=viewer is not None and viewer.may_administer,
        ),
        _page("profile", "Profile"),
        _page("customer", "Customer", shown=False),
    ]


def _administration(trouble: int) -> str:
    """The title in the navigation, with the number of connections that need looking at."""
    return f"Administration ({trouble})" if trouble else "Administration"


def _page(file: str, title: str, *, shown: bool = True) -> st.Page:
    return st.Page(f"pages/{file}.py", title=title, visibility="visible" if shown else "hidden")


def _gate(viewer: Viewer | None) -> bool:
    """Draw the screens that come before any page; False when the viewer may go on to the pages."""
    if password_reset.LINK in st.query_params:
        password_reset.show_link(session.cookie_token(RESET))
    elif viewer is None and password_reset.is_asking():
        password_reset.show_request()
    elif viewer is None and second_factor.is_asked():
        second_factor.show_question()
    elif viewer is None:
        sign_in.show()
    elif viewer.must_change_password:
        set_password.show(viewer)
    elif viewer.needs_second_factor:
        second_factor.show(viewer)
    else:
        return False
    return True


with session.one_check():
    main()
