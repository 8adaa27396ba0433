"""A browser tab without a screen: it speaks Streamlit's websocket protocol as Streamlit's own page does.

The content of the page arrives as elements; the widgets and their ids are read from them.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from db.schema.statuses import MainStatus
from pages.web.browser_cookies import SESSION
from services.orders.filters import SearchInput

_LAST = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
_COUNT = re.compile(r'class="es-count"[^>]*>([\d,]+)')
_PATIENCE = 60
_TEXTS = (
    "order_ids",
    "email",
    "phone",
    "activation_code",
    "first_name",
    "last_name",
    "company",
    "vat_number",
    "card_last_4",
)
_DATES = ("created_from", "created_to")


@dataclass
class Shown:
    """The answer to a click, from its message until the end of the script."""

    seconds: float = 0.0
    count: int | None = None  # the number of orders found, if the page shows one
    rows: bool = False  # whether a table arrived
    html: str = ""
    errors: list[str] = field(default_factory=list)


class Tab:
    """A tab on the Orders page, signed in."""

    def __init__(self, socket: ClientConnection, url: str) -> None:
        self._socket = socket
        self._url = url
        self._query = ""
        self._page = ""
        # The value of every widget by its id, as Streamlit's page keeps them. Any: fields of the protocol's messages.
        self._states: dict[str, Mapping[str, Any]] = {}
        self._ids: dict[str, str] = {}
        self._table: tuple[str, str] | None = None  # its id and that of its fragment
        # Large messages, which the server sends by reference the next time.
        self._cached: dict[str, ForwardMsg] = {}

    async def search(self, typed: SearchInput) -> Shown:
        """Fill the form and press Find."""
        for name in _TEXTS:
            self._states[self._ids[f"search_{name}"]] = {"string_value": getattr(typed, name)}
        for name in _DATES:
            day: date | None = getattr(typed, name)
            self._states[self._ids[f"search_{name}"]] = {"string_value": f"{day:%Y/%m/%d}" if day else ""}
        for status in MainStatus:
            ticked = {"bool_value": status in typed.statuses}
            self._states[self._ids[f"search_statuses_{status}"]] = ticked
        return await self.run({self._ids["search_find"]: {"trigger_value": True}})

    async def choose(self, row: int) -> Shown:
        """Click a row of the table, counted from 0."""
        assert self._table is not None, "There is no table to choose from."
        element, fragment = self._table
        chosen = json.dumps({"selection": {"rows": [], "columns": [], "cells": [[row, "Order"]]}})
        self._states[element] = {"string_value": chosen}
        return await self.run({}, fragment=fragment)

    async def run(self, pressed: Mapping[str, Mapping[str, Any]], *, fragment: str = "") -> Shown:
        """Send the values of all widgets and wait for the end of the script; raises `TimeoutError` after a minute."""
        message = BackMsg(
            rerun_script=ClientState(
                query_string=self._query,
                page_script_hash=self._page,
                fragment_id=fragment,
                cached_message_hashes=list(self._cached),
            )
        )
        for element, value in {**self._states, **pressed}.items():
            message.rerun_script.widget_states.widgets.add(id=element, **value)
        message.rerun_script.context_info.url = self._url
        message.rerun_script.context_info.timezone = "UTC"
        message.rerun_script.context_info.locale = "en-US"
        shown = Shown()
        start = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(_PATIENCE):
            while not self._handle(ForwardMsg.FromString(await self._receive()), shown):
                pass
        shown.seconds = time.perf_counter() - start
        return shown

    async def _receive(self) -> bytes:
        message = await self._socket.recv()
        return message if isinstance(message, bytes) else message.encode()

    def _handle(self, message: ForwardMsg, shown: Shown) -> bool:
        """Take in a message; return whether it was the last of this run."""
        if message.WhichOneof("type") == "ref_hash":
            message = self._cached[message.ref_hash]
        elif message.metadata.cacheable:
            self._cached[message.hash] = message
        match message.WhichOneof("type"):
            case "new_session":
                self._page = message.new_session.page_script_hash
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "session_event" if message.session_event.HasField("script_compilation_exception"):
                shown.errors.append("the script cannot be compiled")
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                self._show(message.delta, shown)
            case "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    shown.errors.append("the script ended with an error")
                    return True
                return message.script_finished in _LAST
        return False

    def _show(self, delta: Delta, shown: Shown) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        assert kind is not None, "An element without content arrived."
        content = getattr(element, kind)
        match kind:
            case "exception":
                shown.errors.append(content.message)
            case "alert":
                shown.errors.append(content.body)
            case "html":
                shown.html += content.body
                if match := _COUNT.search(content.body):
                    shown.count = int(match[1].replace(",", ""))
            case "dataframe":
                shown.rows = True
                self._table = (content.id, delta.fragment_id)
                self._states.pop(content.id, None)
            case "checkbox":
                self._states[content.id] = {
                    "bool_value": content.value if content.set_value else content.default
                }
        if identity := getattr(content, "id", ""):
            self._ids[identity.split("-", 2)[-1]] = identity


@asynccontextmanager
async def opened(url: str, cookie: str) -> AsyncIterator[Tab]:
    """The Orders page, loaded, as the account that the session cookie belongs to.

    Raises `AssertionError` when the page shows an error or no number of orders.
    """
    socket = connect(
        f"ws{url.removeprefix('http')}/_stcore/stream",
        origin=url,  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Cookie": f"{SESSION}={cookie}"},
        compression=None,
        max_size=None,
        proxy=None,
        ping_interval=None,
    )
    async with socket as connected:
        tab = Tab(connected, url)
        shown = await tab.run({})
        assert shown.count is not None and not shown.errors, f"The page did not load: {shown}"
        yield tab
