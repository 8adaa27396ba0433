"""A run's results, order by order, and the list of the viewer's runs: one dialog, to be opened from any tab."""

from typing import Final

import pandas as pd
import streamlit as st

from db.connections.engine import viewer_transaction
from db.schema.bulk_states import BulkOrderState
from pages.components.bulk.labels import LABELS, orders_words, run_sentence
from pages.components.layout.dialogs import Dialog, Screen, change_subject, open_dialog
from pages.components.layout.row_table import table_height
from pages.components.layout.session import current_viewer, time_zone
from pages.rendering.escaping import html_text
from pages.rendering.formatting import format_time
from services.access import Viewer
from services.bulk.runs import BulkRun, OrderOutcome, find_outcomes, find_runs, get_run

_ROWS: Final = 10
STATE_WORDS: Final = {
    BulkOrderState.WAITING: "Not yet",
    BulkOrderState.DONE: "Done",
    BulkOrderState.REFUSED: "Not possible",
    BulkOrderState.FAILED: "Failed",
}


def open_results(run_id: int) -> None:
    """Open the results of one run."""
    open_dialog(_dialog(run_id))


def open_runs() -> None:
    """Open the list of the viewer's runs."""
    open_dialog(_dialog(None))


def _dialog(run_id: int | None) -> Dialog[int | None]:
    return Dialog(Screen.ORDERS, "Runs over many orders", _draw, run_id, may=_may_act, width="large")


def _may_act(viewer: Viewer) -> bool:
    return viewer.may_act


def _draw(run_id: int | None) -> None:
    if run_id is None:
        _draw_list()
    else:
        _draw_run(run_id)


def _draw_list() -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        runs = find_runs(connection, viewer)
    if not runs:
        st.info(
            "You have not acted on many orders at once yet. Tick rows of a search, then choose an action."
        )
    for run in runs:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"run_row_{run.id}"):
            st.html(_about_html(run), width="stretch")
            st.button("Results", key=f"run_open_{run.id}", on_click=change_subject, args=(run.id,))


def _draw_run(run_id: int) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        run = get_run(connection, viewer, run_id)
        outcomes = find_outcomes(connection, viewer, run_id)
    st.html(_about_html(run))
    st.dataframe(
        _frame(outcomes),
        key=f"run_results_{run_id}",
        hide_index=True,
        height=table_height(len(outcomes), _ROWS),
        placeholder="–",
        alt="The result of each order",
        column_config={
            "Order": st.column_config.TextColumn(width=130),
            "Result": st.column_config.TextColumn(width=110),
            "Why": st.column_config.TextColumn(width=430),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<a class="es-button" role="button" download href="/bulk-run/{run_id}.csv">Download CSV</a>',
            width="content",
        )
        st.button("All runs", key="run_list", type="tertiary", on_click=change_subject, args=(None,))


def _frame(outcomes: tuple[OrderOutcome, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Order": [outcome.order_name or str(outcome.order_id) for outcome in outcomes],
            "Result": [STATE_WORDS[outcome.state] for outcome in outcomes],
            "Why": [outcome.reason for outcome in outcomes],
        }
    )


def _about_html(run: BulkRun) -> str:
    title = f"{LABELS[run.kind].menu}: {orders_words(run.order_count)}"
    return (
        f'<div class="es-run"><strong>{html_text(title)}</strong> <span class="es-muted">'
        f"{html_text(format_time(run.started_at, time_zone()))}</span><br>{html_text(run_sentence(run))}</div>"
    )
