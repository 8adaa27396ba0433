"""An export on its way to a browser: sent while it is made, with its progress recorded, and stopped when necessary."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Concatenate, Final, ParamSpec
from uuid import UUID

import anyio
from anyio.to_thread import run_sync
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from db.connections.engine import viewer_transaction
from db.connections.replica import reading_transaction
from db.schema.audit_actions import AuditAction
from pages.web.streamlit_private import is_page_running
from services.access import Viewer
from services.audit.recording import record_refusal
from services.errors import InvalidInput, NotAllowed, SupportError
from services.exports.runs import (
    ExportStopped,
    RunState,
    end_run,
    estimate_run,
    touch_run,
)
from services.orders.filters import OrderFilter

P = ParamSpec("P")

log = logging.getLogger("esupport.pages")
_FIRST_LOOK: Final = 0.3  # seconds; a short export has ended by then and is never slowed down
_EVERY: Final = 1.0
_LONGEST: Final = 3600.0  # the file is one statement, which takes as long as its reader does
_STUCK_AFTER: Final = 300.0  # a reader that takes nothing for so long has gone
_MOMENT: Final = 0.005
# Makes the file in pieces, in the viewer's transaction, and reports how many rows are written.
Maker = Callable[[Connection, Callable[[int], None]], Iterator[bytes]]


def _give_way() -> None:
    """Wait a moment while this process draws a page: a person waits for it, and only one thread runs at a time."""
    if is_page_running():
        time.sleep(_MOMENT)


class ExportStream:
    """A response that is an export. When it ends early, the response stays incomplete, so that the browser reports a
    failed download and nobody takes half a file for a whole one.

    `is_session_valid` is called about once a second, and tells whether the session that began the export still holds.
    Run and search are None for an export that no page follows; `on_primary` keeps it off a replica.
    """

    def __init__(
        self,
        viewer: Viewer,
        run_id: UUID | None,
        order_filter: OrderFilter | None,
        make: Maker,
        *,
        on_primary: bool = False,
        headers: Mapping[str, str],
        refused_headers: Mapping[str, str],
        is_session_valid: Callable[[], bool],
        address: str | None = None,
    ) -> None:
        self._address = address
        self._viewer, self._run_id, self._filter, self._make = viewer, run_id, order_filter, make
        self._headers, self._refused_headers = headers, refused_headers
        self._is_session_valid, self._on_primary = is_session_valid, on_primary
        self._rows = self._bytes = 0
        self._moved_at = time.monotonic()
        self._stopped: RunState | None = None
        self._is_over = False  # once the last piece is sent, a connection that ends stops nothing
        self._refusal: str | None = None
        self._scope: anyio.CancelScope | None = None
        # Of the running statement; the lock keeps it from being returned to the pool while it is cancelled.
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pieces = self._pieces()
        state = RunState.FAILED
        try:
            async with anyio.create_task_group() as group:
                self._scope = group.cancel_scope
                group.start_soon(self._listen, receive)
                group.start_soon(self._report)
                state = await self._send(pieces, scope, receive, send)
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(pieces.close)
                await run_sync(self._end, self._stopped or state)

    async def _send(self, pieces: Generator[bytes], scope: Scope, receive: Receive, send: Send) -> RunState:
        try:
            piece = await run_sync(next, pieces, None)
        except InvalidInput as refusal:  # more rows than a sheet holds
            self._refusal = str(refusal)
            await run_sync(self._record_refusal, refusal)
            await self._refuse(413, self._refusal, scope, receive, send)
            return RunState.FAILED
        except Exception:
            self._note_failure()
            await self._refuse(503, "The export was not made. Please try again.", scope, receive, send)
            return RunState.FAILED
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self._headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self._bytes += len(piece)
            self._moved_at = time.monotonic()
            try:
                piece = await run_sync(next, pieces, None)
            except Exception:
                self._note_failure()
                return RunState.FAILED
        # An account that was disabled before the first row finds nothing, which must not look like a complete file.
        if not await run_sync(self._look):
            return RunState.CANCELLED
        self._is_over = True
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return RunState.DONE

    async def _refuse(self, status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a refusal, which no browser saves as the file; nothing else has been sent yet."""
        self._is_over = True
        answer = PlainTextResponse(text, status, headers=dict(self._refused_headers))
        with anyio.CancelScope(shield=True):
            await answer(scope, receive, send)

    def _note_failure(self) -> None:
        if self._stopped is None:  # otherwise the error comes from stopping the export
            log.exception("export %s", self._run_id)

    def _pieces(self) -> Generator[bytes]:
        account_id = self._viewer.account_id
        transaction = (
            viewer_transaction(account_id, longest_seconds=_LONGEST, changes_orders=False)
            if self._on_primary
            else reading_transaction(account_id, self._viewer.store_ids, longest_seconds=_LONGEST)
        )
        with transaction as connection:
            with self._lock:
                self._connection = connection
            try:
                for piece in self._make(connection, self._on_rows):
                    yield piece
                    _give_way()
            finally:
                with self._lock:
                    self._connection = None

    def _on_rows(self, rows: int) -> None:
        if self._stopped:
            raise ExportStopped
        self._rows = rows
        self._moved_at = time.monotonic()

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await self._stop(RunState.CANCELLED)

    async def _report(self) -> None:
        await anyio.sleep(_FIRST_LOOK)
        if self._filter is not None:
            await run_sync(self._in_own_transaction, estimate_run, self._filter)
        while self._stopped is None:
            is_wanted = await run_sync(self._look)
            if not is_wanted:
                await self._stop(RunState.CANCELLED)
            elif time.monotonic() - self._moved_at > _STUCK_AFTER:
                await self._stop(RunState.FAILED)
            await anyio.sleep(_EVERY)

    def _look(self) -> bool:
        """Record the progress; False once the session has ended or somebody cancelled the export."""
        try:
            if not self._is_session_valid():
                return False
            if self._run_id is None:
                return True
            with viewer_transaction(self._viewer.account_id, changes_orders=False) as connection:
                return touch_run(
                    connection, self._viewer, self._run_id, rows_sent=self._rows, bytes_sent=self._bytes
                )
        except NotAllowed:  # disabled, or signed out
            return False
        except SQLAlchemyError:  # the next look may find the database again
            log.warning("the progress of export %s could not be recorded", self._run_id, exc_info=True)
            return True

    async def _stop(self, why: RunState) -> None:
        if self._is_over:
            return
        self._stopped = self._stopped or why
        await run_sync(self._end_statement)
        if self._scope is not None:
            self._scope.cancel()

    def _end_statement(self) -> None:
        """Cancel the running statement, which would otherwise go on until its next row."""
        with self._lock:
            if self._connection is not None:
                # Any: SQLAlchemy has no type for the driver's connection.
                driver: Any = self._connection.connection.driver_connection
                driver.cancel_safe(timeout=5)

    def _end(self, state: RunState) -> None:
        self._in_own_transaction(
            end_run, state, rows_sent=self._rows, bytes_sent=self._bytes, refusal=self._refusal
        )

    def _record_refusal(self, refusal: InvalidInput) -> None:
        try:
            record_refusal(self._viewer, AuditAction.EXPORT_ORDERS, refusal, address=self._address)
        except (SQLAlchemyError, SupportError):
            log.warning("the refusal of export %s could not be recorded", self._run_id, exc_info=True)

    def _in_own_transaction(
        self,
        work: Callable[Concatenate[Connection, Viewer, UUID, P], object],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        if self._run_id is None:
            return
        try:
            with viewer_transaction(self._viewer.account_id, changes_orders=False) as connection:
                work(connection, self._viewer, self._run_id, *args, **kwargs)
        except (SQLAlchemyError, NotAllowed):
            log.warning("the state of export %s could not be recorded", self._run_id, exc_info=True)
