"""The progress of this tab's exports, one line each; the lines are refreshed only while an export runs."""

import time
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from db.connections.engine import viewer_transaction
from pages.components.layout.errors import showing_errors
from pages.components.layout.fragments import fragment
from pages.components.layout.session import current_viewer
from pages.rendering.escaping import html_text
from services.exports.columns import ExportRows
from services.exports.runs import ExportRun, RunState, find_run, request_cancel

_SEARCH = "exports_search"
_EVERY = 1.0
_LOST_AFTER = 15.0  # seconds within which the server has heard of a download, or never will
_STAYS = 9.0  # how long a finished one is shown; portal.css folds the line up by then
_NOUNS = {ExportRows.ORDER: ("order", "orders"), ExportRows.ITEM: ("order item", "order items")}
_WENT_WRONG = "The export failed; the file is not whole. Please try again."


@dataclass(slots=True)
class _Followed:
    """An export begun in this tab, in its last known state; `over_at` is when it was first seen to have ended."""

    run_id: UUID
    search_number: int
    begun_at: float
    run: ExportRun | None = None
    over_at: float | None = None


def follow(run_id: str) -> None:
    """Show, from now on, the export that the browser began under this ID."""
    try:
        begun = _Followed(UUID(run_id), st.session_state.get(_SEARCH, 0), time.monotonic())
    except (ValueError, AttributeError, TypeError):  # not sent by the portal's script
        return
    # Finished exports make room; running ones stay.
    others = [export for export in _followed() if export.over_at is None and export.run_id != begun.run_id]
    st.session_state.exports_followed = [*others, begun]


def export_progress(search_number: int) -> None:
    """Draw the lines; poll only while one of their exports is running.

    `search_number` is the search that is shown: a finished export of an earlier one is no longer shown.
    """
    now = time.monotonic()
    st.session_state[_SEARCH] = search_number
    st.session_state.exports_followed = [export for export in _followed() if not _is_old(export, now)]
    if not _followed():
        return
    _look()
    if any(export.over_at is None for export in _followed()):
        fragment(_polled, run_every=_EVERY)()
    else:
        _draw()


def _polled() -> None:
    with showing_errors():
        _look()
        if all(export.over_at is not None for export in _followed()):
            st.rerun()  # without this fragment, and therefore without polling
        _draw()


def _is_old(export: _Followed, now: float) -> bool:
    if export.over_at is None:
        return False
    is_of_another_search = export.search_number != st.session_state.get(_SEARCH)
    return is_of_another_search or (_is_whole(export) and now - export.over_at > _STAYS)


def _followed() -> list[_Followed]:
    followed: list[_Followed] = st.session_state.get("exports_followed", [])
    return followed


def _look() -> None:
    viewer, now = current_viewer(), time.monotonic()
    waiting = [export for export in _followed() if export.over_at is None]
    if not waiting:
        return
    with viewer_transaction(viewer.account_id) as connection:
        for export in waiting:
            export.run = find_run(connection, viewer, export.run_id)
            is_lost = export.run is None and now - export.begun_at > _LOST_AFTER
            if is_lost or (export.run is not None and export.run.state is not RunState.RUNNING):
                export.over_at = now


def _draw() -> None:
    for export in _followed():
        with st.container(
            key=f"export_line_{_look_of(export)}_{export.run_id.hex}",
            horizontal=True,
            vertical_alignment="center",
            gap="small",
        ):
            if export.over_at is not None:
                st.html(_over_html(export.run))
                continue
            st.html(_running_html(export.run), width="stretch")
            asked = export.run is not None and export.run.cancel_requested
            st.button(
                "Cancel export",
                key=f"cancel_{export.run_id.hex}",
                on_click=_cancel,
                args=(export.run_id,),
                disabled=export.run is None or asked,
            )


def _look_of(export: _Followed) -> str:
    if export.over_at is None:
        return "running"
    return "done" if _is_whole(export) else "broken"


def _is_whole(export: _Followed) -> bool:
    return export.run is not None and export.run.state is RunState.DONE


def _cancel(run_id: UUID) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        request_cancel(connection, viewer, run_id)


def _over_html(run: ExportRun | None) -> str:
    if run is not None and run.state is RunState.DONE:
        sentence = f"Exported {_count(run.rows_sent, run.rows)}"
        return f'<div class="es-export-done" role="status">{sentence}</div>'
    if run is not None and run.state is RunState.CANCELLED:
        sentence = "The export was cancelled; the file is not whole."
    else:
        sentence = (run and run.refusal) or _WENT_WRONG
    return f'<div class="es-export-broken" role="status">{html_text(sentence)}</div>'


def _running_html(run: ExportRun | None) -> str:
    label, share = _progress_label(run), _share(run)
    value = "" if share is None else f' value="{share:.3f}"'
    return (
        f'<div class="es-export"><span class="es-export-words">{label}</span>'
        f'<progress aria-label="Progress of the export"{value}></progress></div>'
    )


def _progress_label(run: ExportRun | None) -> str:
    if run is None or not (run.rows_sent or run.bytes_sent):
        return "Exporting: the first rows are on their way"
    if run.cancel_requested:
        return "Cancelling the export"
    of = f"{run.rows_sent:,} {_NOUNS[run.rows][run.rows_sent != 1]}"
    if run.rows_estimated is not None and run.rows_sent <= run.rows_estimated:
        about = "" if run.is_exact else "about "
        of = f"{run.rows_sent:,} of {about}{_count(run.rows_estimated, run.rows)}"
    if not run.bytes_sent:
        return f"Exporting: {of} · the workbook is being written"
    return f"Exporting: {of} · {_size(run.bytes_sent)}"


def _share(run: ExportRun | None) -> float | None:
    """The share that is done, None when unknown; less than 1 while the export runs."""
    if run is None or not run.rows_estimated:
        return None
    return min(run.rows_sent / run.rows_estimated, 0.99)


def _count(number: int, rows: ExportRows) -> str:
    return f"{number:,} {_NOUNS[rows][number != 1]}"


def _size(number: int) -> str:
    return f"{number / 1_000_000:,.0f} MB" if number >= 10_000_000 else f"{number / 1_000_000:.1f} MB"
