"""How far the exports of this tab are: a line each, looked after while one of them runs and not a moment longer."""

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
    """An export that was begun in this tab, as it was last seen; `over_at` is when it was first seen to have ended."""

    run_id: UUID
    search_number: int
    begun_at: float
    run: ExportRun | None = None
    over_at: float | None = None


def follow(run_id: str) -> None:
    """Shows the export that the browser began under this id from now on."""
    try:
        begun = _Followed(UUID(run_id), st.session_state.get(_SEARCH, 0), time.monotonic())
    except (ValueError, AttributeError, TypeError):  # not from our script
        return
    # One that is over makes room; others that run are kept.
    kept = [one for one in _followed() if one.over_at is None and one.run_id != begun.run_id]
    st.session_state.exports_followed = [*kept, begun]


def export_progress(search_number: int) -> None:
    """Draw the lines; poll only while one of their exports is running.

    `search_number` is the search that is shown: a finished export of an earlier one is no longer shown.
    """
    now = time.monotonic()
    st.session_state[_SEARCH] = search_number
    st.session_state.exports_followed = [one for one in _followed() if not _is_old(one, now)]
    if not _followed():
        return
    _look()
    if any(one.over_at is None for one in _followed()):
        fragment(_polled, run_every=_EVERY)()
    else:
        _draw()


def _polled() -> None:
    with showing_errors():
        _look()
        if all(one.over_at is not None for one in _followed()):
            st.rerun()  # without this fragment, and so without polling
        _draw()


def _is_old(one: _Followed, now: float) -> bool:
    if one.over_at is None:
        return False
    is_of_another_search = one.search_number != st.session_state.get(_SEARCH)
    return is_of_another_search or (_is_whole(one) and now - one.over_at > _STAYS)


def _followed() -> list[_Followed]:
    followed: list[_Followed] = st.session_state.get("exports_followed", [])
    return followed


def _look() -> None:
    viewer, now = current_viewer(), time.monotonic()
    waiting = [one for one in _followed() if one.over_at is None]
    if not waiting:
        return
    with viewer_transaction(viewer.account_id) as connection:
        for one in waiting:
            one.run = find_run(connection, viewer, one.run_id)
            is_lost = one.run is None and now - one.begun_at > _LOST_AFTER
            if is_lost or (one.run is not None and one.run.state is not RunState.RUNNING):
                one.over_at = now


def _draw() -> None:
    for one in _followed():
        with st.container(
            key=f"export_line_{_look_of(one)}_{one.run_id.hex}",
            horizontal=True,
            vertical_alignment="center",
            gap="small",
        ):
            if one.over_at is not None:
                st.html(_over_html(one.run))
                continue
            st.html(_running_html(one.run), width="stretch")
            asked = one.run is not None and one.run.cancel_requested
            st.button(
                "Cancel export",
                key=f"cancel_{one.run_id.hex}",
                on_click=_cancel,
                args=(one.run_id,),
                disabled=one.run is None or asked,
            )


def _look_of(one: _Followed) -> str:
    if one.over_at is None:
        return "running"
    return "done" if _is_whole(one) else "broken"


def _is_whole(one: _Followed) -> bool:
    return one.run is not None and one.run.state is RunState.DONE


def _cancel(run_id: UUID) -> None:
    viewer = current_viewer()
    with viewer_transaction(viewer.account_id) as connection:
        request_cancel(connection, viewer, run_id)


def _over_html(run: ExportRun | None) -> str:
    if run is not None and run.state is RunState.DONE:
        words = f"Exported {_count(run.rows_sent, run.rows)}"
        return f'<div class="es-export-done" role="status">{words}</div>'
    if run is not None and run.state is RunState.CANCELLED:
        words = "The export was cancelled; the file is not whole."
    else:
        words = (run and run.refusal) or _WENT_WRONG
    return f'<div class="es-export-broken" role="status">{html_text(words)}</div>'


def _running_html(run: ExportRun | None) -> str:
    words, share = _words(run), _share(run)
    value = "" if share is None else f' value="{share:.3f}"'
    return (
        f'<div class="es-export"><span class="es-export-words">{words}</span>'
        f'<progress aria-label="Progress of the export"{value}></progress></div>'
    )


def _words(run: ExportRun | None) -> str:
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
    """How much of it is done, None when that is unknown; never all of it while it runs."""
    if run is None or not run.rows_estimated:
        return None
    return min(run.rows_sent / run.rows_estimated, 0.99)


def _count(number: int, rows: ExportRows) -> str:
    return f"{number:,} {_NOUNS[rows][number != 1]}"


def _size(number: int) -> str:
    return f"{number / 1_000_000:,.0f} MB" if number >= 10_000_000 else f"{number / 1_000_000:.1f} MB"
