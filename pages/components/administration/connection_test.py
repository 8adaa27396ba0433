"""The dialog that tries a connection, as its kind can be tried: a test event, a signed example, or its credentials."""

import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.connection_states import ConnectionKind
from pages.components.administration.connection_trouble import forget_trouble
from pages.components.layout.dialogs import Dialog, Screen, field_key, may_administer, submit
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.escaping import html_text
from services.connections.kinds import RULES
from services.connections.listing import ListedConnection
from services.connections.trial import SignedExample, send_test_event, sign_example
from services.executors.trial import check_credentials, has_check
from services.helpdesk.trial import sign_request


def can_be_tested(listed: ListedConnection) -> bool:
    is_help_desk = listed.kind is ConnectionKind.HELP_DESK
    return is_help_desk or listed.kind is ConnectionKind.WEBHOOKS or has_check(listed.kind)


def test_dialog(listed: ListedConnection) -> Dialog[ListedConnection]:
    """For a connection that `can_be_tested`."""
    is_shop = listed.kind is ConnectionKind.WEBHOOKS
    return Dialog(
        Screen.CONNECTIONS,
        "Send a test event" if is_shop else "Test the connection",
        _shop if is_shop else _help_desk if listed.kind is ConnectionKind.HELP_DESK else _credentials,
        listed,
        may=may_administer,
        width="small" if has_check(listed.kind) else "large",
        after=_after,
    )


def draw_subject(listed: ListedConnection) -> None:
    """Which connection a dialog is about."""
    st.html(
        f"<p><strong><bdi>{html_text(listed.name)}</bdi></strong>, {html_text(RULES[listed.kind].label)}, "
        f"<bdi>{html_text(listed.store)}</bdi></p>"
    )


def _after(_: object, __: str) -> None:
    forget_trouble()


def _credentials(listed: ListedConnection) -> None:
    draw_subject(listed)
    name = html_text(RULES[listed.kind].label)
    st.html(
        f"<p>{name} is asked whether it accepts the connection's credentials. Nothing is changed there.</p>"
    )
    error = st.empty()
    if st.button("Test the connection", type="primary", key=field_key("check")):
        submit({"": error}, check_credentials, listed.id)


def _help_desk(listed: ListedConnection) -> None:
    draw_subject(listed)
    st.html(
        "<p>Paste this at any machine that reaches the portal. It answers 200 with what the help desk shows: that the "
        "customer has no orders. With another e-mail the signature no longer fits, and the answer is 401.</p>"
    )
    st.code(_curl(_example(listed)), language=None, wrap_lines=True)


def _shop(listed: ListedConnection) -> None:
    draw_subject(listed)
    st.html("<h3>From the portal to the shop</h3>")
    error = st.empty()
    if listed.out_url is None:
        st.html("<p>This connection has no address that actions are sent to: add it under Change.</p>")
    else:
        st.html(
            "<p>An event of the type <code>test</code> is posted to "
            f'<bdi class="es-mono">{html_text(listed.out_url)}</bdi> at once, signed as every other. '
            "You then read what the shop answered.</p>"
        )
        error = st.empty()
        if st.button("Send a test event", type="primary", key=field_key("send")):
            submit({"": error}, send_test_event, listed.id)
    st.html("<h3>From the shop to the portal</h3>")
    st.html(
        "<p>Paste this at the shop's machine within five minutes. It answers 202, and the message appears under "
        "Show received as ignored.</p>"
    )
    st.code(_curl(_example(listed)), language=None, wrap_lines=True)


def _example(listed: ListedConnection) -> SignedExample:
    """The example of this opening of the dialog: signing one is recorded."""
    key = field_key("example")
    if key not in st.session_state:
        viewer = current_viewer()
        sign = sign_request if listed.kind is ConnectionKind.HELP_DESK else sign_example
        with viewer_transaction(viewer.account_id) as connection:
            st.session_state[key] = sign(connection, viewer, listed.id, address=client_address())
    example: SignedExample = st.session_state[key]
    return example


def _curl(example: SignedExample) -> str:
    headers = " \\\n".join(f"  -H '{name}: {value}'" for name, value in example.headers.items())
    return f"curl -i '{example.address}' \\\n{headers} \\\n  -d '{example.body}'"
