"""The dialog that makes or changes a connection."""

from typing import Final, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.connections.engine import viewer_transaction
from db.schema.connection_states import ConnectionKind, Purpose, Topic
from pages.components.administration.connection_dialogs import secret_input, typed_label
from pages.components.administration.connection_guide import GuideSubject, draw_code
from pages.components.administration.connection_secrets import draft, show_next
from pages.components.administration.connection_trouble import forget_trouble
from pages.components.layout.dialogs import Dialog, Screen, field_key, may_administer, submit
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from services.accounts.stores import ListedStore, find_stores
from services.connections.administration import change_connection, create_connection
from services.connections.form import NOVENTIQ_API, ConnectionForm
from services.connections.kinds import (
    RULES,
    incoming_address,
    is_payment_provider,
    make_secrets,
)
from services.connections.listing import ListedConnection

_TOPIC_LABELS: Final = {
    Topic.REFUNDS: "Refunds",
    Topic.SUBSCRIPTIONS: "Subscriptions: Cancel and Resume",
    Topic.LICENCES: "Licences: sent again, codes deleted",
    Topic.CUSTOMERS: "Customers: e-mail corrected, data deleted",
    Topic.ORDERS: "Orders cancelled",
}
_WHAT: Final = {
    ConnectionKind.WEBHOOKS: "A shop of your own, or any that sends signed webhooks.",
    ConnectionKind.NOVENTIQ: "Orders come in by Noventiq's webhooks; with its API, actions go out.",
    ConnectionKind.STRIPE: "A fulfilled refund is paid back by Stripe, and counts once Stripe says so.",
    ConnectionKind.HELP_DESK: "Help Scout or FreeScout shows a customer's orders beside a conversation.",
}


_PROVIDER: Final = "A fulfilled refund is paid back by this provider, and counts once it says so."


class _Entry(NamedTuple):
    form: ConnectionForm
    secrets: dict[Purpose, str]


def new_dialog() -> Dialog[None]:
    return Dialog(Screen.CONNECTIONS, "Add connection", _new, None, may=may_administer, after=_after_creation)


def change_dialog(listed: ListedConnection) -> Dialog[ListedConnection]:
    return Dialog(
        Screen.CONNECTIONS, "Change connection", _change, listed, may=may_administer, after=_after_change
    )


def _new(_: None) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        stores = find_stores(connection, viewer)
    if not stores:
        st.html("<p>There is no checkout page yet. Each appears with its first order; import one first.</p>")
        return
    # Outside the form: the other fields depend on it.
    kind = (
        st.selectbox(
            "Kind",
            list(ConnectionKind),
            format_func=lambda kind: RULES[kind].label,
            key=field_key("kind"),
        )
        or ConnectionKind.WEBHOOKS
    )
    st.html(f'<div class="es-hint">{html_text(_WHAT.get(kind, _PROVIDER))}</div>')
    errors: dict[str, DeltaGenerator] = {}
    with st.form(f"dialog_connection_{kind}", border=False):
        store = _store(stores, errors)
        if RULES[kind].typed:
            draw_code("Address to paste there", incoming_address(kind, draft().key))
        entry = _fields(kind, None, errors)
        errors[""] = st.empty()
        is_pressed = st.form_submit_button("Create connection", type="primary")
    if is_pressed:
        made = {purpose: draft().secret(kind, purpose) for purpose in make_secrets(kind, sends_out=True)}
        if not entry.form.out_url.strip():
            made.pop(Purpose.OUT, None)
        _remember(kind, entry.form, made)
        submit(
            errors,
            create_connection,
            store_id=store.id,
            kind=kind,
            key=draft().key,
            form=entry.form,
            secrets=entry.secrets | made,
        )


def _change(listed: ListedConnection) -> None:
    st.html(
        f'<div class="es-hint">{html_text(RULES[listed.kind].label)}, <bdi>{html_text(listed.store)}</bdi></div>'
    )
    errors: dict[str, DeltaGenerator] = {}
    with st.form("dialog_connection_change", border=False):
        entry = _fields(listed.kind, listed, errors)
        errors[""] = st.empty()
        is_pressed = st.form_submit_button("Save connection", type="primary")
    if is_pressed:
        # The password has a dialog of its own.
        errors.setdefault("api_secret", errors[""])
        submit(errors, change_connection, listed.id, form=entry.form)


def _remember(kind: ConnectionKind, form: ConnectionForm, made: dict[Purpose, str]) -> None:
    """Keep what the next dialog shows, in the tab alone."""
    name = " ".join(form.name.split())
    st.session_state["connection_created"] = (
        GuideSubject(kind, draft().key, name, form.out_url.strip() or None, form.confirms),
        made,
    )


def _after_creation(_: None, __: str) -> None:
    forget_trouble()
    show_next(*st.session_state.pop("connection_created"))


def _after_change(_: ListedConnection, __: str) -> None:
    forget_trouble()


def _store(stores: tuple[ListedStore, ...], errors: dict[str, DeltaGenerator]) -> ListedStore:
    store = st.selectbox(
        "Store",
        stores,
        format_func=lambda store: store.title or store.name,
        key=field_key("store"),
    )
    errors["store"] = st.empty()
    return store


def _fields(
    kind: ConnectionKind, listed: ListedConnection | None, errors: dict[str, DeltaGenerator]
) -> _Entry:
    """Draw the fields of the kind, and below each the position of its error."""
    # Each kind has a first value of its own.
    name = st.text_input(
        "Name", value=listed.name if listed else RULES[kind].label, key=field_key(f"name_{kind}")
    )
    errors["name"] = st.empty()
    if kind is ConnectionKind.WEBHOOKS:
        return _Entry(_webhooks(name, listed, errors), {})
    if kind is ConnectionKind.NOVENTIQ:
        return _noventiq(name, listed, errors)
    if is_payment_provider(kind):
        return _provider(kind, name, listed, errors)
    return _Entry(ConnectionForm(name=name), {})


def _webhooks(
    name: str, listed: ListedConnection | None, errors: dict[str, DeltaGenerator]
) -> ConnectionForm:
    out_url = st.text_input(
        "The shop's address for actions",
        value=(listed.out_url or "") if listed else "",
        key=field_key("out_url"),
        placeholder="https://shop.example.com/esupport, or empty: only orders come in",
        autocomplete="off",
    )
    errors["out_url"] = st.empty()
    topics = _topics(ConnectionKind.WEBHOOKS, listed, errors, default=[Topic.REFUNDS, Topic.SUBSCRIPTIONS])
    confirms = st.checkbox(
        "The shop confirms refunds, Cancel and Resume: they count once it has answered",
        value=listed.confirms if listed else False,
        key=field_key("confirms"),
    )
    errors["confirms"] = st.empty()
    if not out_url.strip() and listed is None:
        # Nothing is sent to nowhere: what was not touched is not an error.
        topics, confirms = [], False
    return ConnectionForm(name=name, out_url=out_url, topics=topics, confirms=confirms)


def _noventiq(
    name: str,
    listed: ListedConnection | None,
    errors: dict[str, DeltaGenerator],
) -> _Entry:
    secrets = {}
    if listed is None:
        secrets[Purpose.IN] = secret_input(typed_label(ConnectionKind.NOVENTIQ, Purpose.IN), Purpose.IN)
        errors["in_secret"] = st.empty()
    left, right = st.columns(2) if listed is None else (st.container(), None)
    with left:
        username = _text("API user name", "username", listed, errors)
    if right is not None:
        with right:
            label = typed_label(ConnectionKind.NOVENTIQ, Purpose.API)
            secrets[Purpose.API] = secret_input(label, Purpose.API)
            errors["api_secret"] = st.empty()
    topics = _topics(ConnectionKind.NOVENTIQ, listed, errors, default=[])
    errors["confirms"] = st.empty()
    email = _text("Your e-mail for questions on refunds", "refund_email", listed, errors)
    limits = _limits(listed, errors)
    with st.expander("Address of the API"):
        api_url = st.text_input(
            "API address",
            value=str((listed.options.get("api_url") if listed else "") or NOVENTIQ_API),
            key=field_key("api_url"),
        )
        errors["api_url"] = st.empty()
    form = ConnectionForm(
        name=name,
        topics=topics,
        options=limits | {"username": username, "refund_email": email, "api_url": api_url},
    )
    return _Entry(form, secrets)


def _provider(
    kind: ConnectionKind,
    name: str,
    listed: ListedConnection | None,
    errors: dict[str, DeltaGenerator],
) -> _Entry:
    secrets = {}
    if listed is None:
        for purpose in (purpose for purpose in Purpose if purpose in RULES[kind].typed):
            secrets[purpose] = secret_input(typed_label(kind, purpose), purpose)
            errors["in_secret" if purpose is Purpose.IN else "api_secret"] = st.empty()
    options = _limits(listed, errors)
    errors["confirms"] = st.empty()
    return _Entry(ConnectionForm(name=name, options=options), secrets)


def _limits(listed: ListedConnection | None, errors: dict[str, DeltaGenerator]) -> dict[str, str | bool]:
    """Draw the caps on refunds, and the switch of the dry run."""
    left, right = st.columns(2)
    with left:
        day_cap = _text(
            "Refunds per day at most", "day_cap", listed, errors, placeholder="EUR 500, JPY 80000"
        )
    with right:
        request_cap = _text("Each refund at most", "request_cap", listed, errors, placeholder="No limit")
    dry_run = st.checkbox(
        "Dry run: nothing is sent, and the history says what would have been",
        value=bool(listed.options.get("dry_run")) if listed else True,
        key=field_key("dry_run"),
    )
    return {"day_cap": day_cap, "request_cap": request_cap, "dry_run": dry_run}


def _text(
    label: str,
    option: str,
    listed: ListedConnection | None,
    errors: dict[str, DeltaGenerator],
    *,
    placeholder: str = "",
) -> str:
    value = st.text_input(
        label,
        value=str((listed.options.get(option) if listed else "") or ""),
        key=field_key(option),
        placeholder=placeholder,
        autocomplete="off",
    )
    errors[option] = st.empty()
    return value


def _topics(
    kind: ConnectionKind,
    listed: ListedConnection | None,
    errors: dict[str, DeltaGenerator],
    *,
    default: list[Topic],
) -> list[Topic]:
    choices = [topic for topic in Topic if topic in RULES[kind].topics]
    chosen = st.multiselect(
        "What is sent out",
        choices,
        default=[topic for topic in listed.topics if topic in choices] if listed else default,
        format_func=_TOPIC_LABELS.__getitem__,
        key=field_key(f"topics_{kind}"),
        placeholder="Nothing",
    )
    errors["topics"] = st.empty()
    return chosen
