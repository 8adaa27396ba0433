"""The lines of the viewer's runs that go on, or have just ended; refreshed only while one goes on."""

from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.bulk.labels import LABELS, orders_words, run_sentence
from pages.components.bulk.results import open_results
from pages.components.layout.dialogs import tell_later
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import client_address, current_viewer
from pages.rendering.escaping import html_text
from services.access import Viewer
from services.actions import ActionRequest, perform
from services.bulk.runs import BulkRun, find_running, get_run, stop_run
from services.errors import NotFound, SupportError

_KEY: Final = "bulk_runs"
_EVERY: Final = 0.5


@dataclass(slots=True)
class _Followed:
    """The runs whose lines are shown, by ID, as they were last seen."""

    runs: dict[int, BulkRun]


def follow_runs() -> None:
    """Show the viewer's runs that go on, from the next draw on."""
    _look_for_runs(current_viewer())


def _look_for_runs(viewer: Viewer) -> None:
    stored: _Followed = st.session_state.setdefault(_KEY, _Followed({}))
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        stored.runs |= {run.id: run for run in find_running(connection, viewer)}


def run_progress(viewer: Viewer) -> None:
    """Draw the lines. The database is asked when a tab draws this first, and while a run goes on."""
    if not viewer.may_act:
        return
    if _KEY not in st.session_state:
        _look_for_runs(viewer)
    runs = _followed()
    if not runs:
        return
    if any(run.is_running for run in runs.values()):
        fragment(_polled, run_every=_EVERY)()
    else:
        _draw()


def _followed() -> dict[int, BulkRun]:
    stored: _Followed = st.session_state[_KEY]
    return stored.runs


def _polled() -> None:
    with showing_errors():
        _look()
        if not any(run.is_running for run in _followed().values()):
            st.rerun()  # without polling; the table shows what has become of the orders
        _draw()


def _look() -> None:
    viewer, runs = current_viewer(), _followed()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        for run in [run for run in runs.values() if run.is_running]:
            try:
                runs[run.id] = get_run(connection, viewer, run.id)
            except NotFound:  # the role has changed, and the run has ended with it
                del runs[run.id]


def _draw() -> None:
    for run in sorted(_followed().values(), key=lambda run: -run.id):
        with st.container(
            key=f"bulk_line_{run.id}", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.html(_line_html(run), width="stretch")
            st.button("Results", key=f"bulk_results_{run.id}", on_click=open_results, args=(run.id,))
            if run.is_running:
                st.button(
                    "Stop",
                    key=f"bulk_stop_{run.id}",
                    on_click=_stop,
                    args=(run.id,),
                    disabled=run.stop_requested,
                )
            else:
                st.button(
                    "Hide",
                    key=f"bulk_hide_{run.id}",
                    type="tertiary",
                    on_click=_hide,
                    args=(run.id,),
                )


def _line_html(run: BulkRun) -> str:
    title = f"{LABELS[run.kind].menu}: {orders_words(run.order_count)}"
    settled = run.order_count - run.left
    bar = (
        f'<progress max="{run.order_count}" value="{settled}" aria-label="{html_text(title)}"></progress>'
        if run.is_running
        else ""
    )
    return (
        f'<div class="es-export" role="{"group" if run.is_running else "status"}"><strong>{html_text(title)}</strong>'
        f'<span class="es-bulk-words">{html_text(run_sentence(run))}</span>{bar}</div>'
    )


def _hide(run_id: int) -> None:
    _followed().pop(run_id, None)


def _stop(run_id: int) -> None:
    viewer = current_viewer()
    try:
        perform(viewer, ActionRequest(key=uuid4(), address=client_address()), stop_run, run_id)
    except SupportError as error:
        tell_later(str(error), refused=True)
