"""A browser's tab without a screen: speaks Streamlit's websocket protocol as its own page does.

What the page shows arrives as elements; which widgets there are, and by which ids they answer, is read from them.
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
    """What a click brought, from its message until the script had ended."""

    seconds: float = 0.0
    count: int | None = None  # the number of orders found, if the page said one
    rows: bool = False  # whether a table came
    html: str = ""
    errors: list[str] = field(default_factory=list)


class Tab:
    """One page of the portal, signed in."""

    def __init__(self, socket: ClientConnection, url: str) -> None:
        self._socket = socket
        self._url = url
        self._query = ""
        self._page = ""
        self._states: dict[
            str, Mapping[str, Any]
        ] = {}  # as the page keeps them: every widget's value, by its id
        self._ids: dict[str, str] = {}
        self._table: tuple[str, str] | None = None  # its id and its fragment's
        self._kept: dict[
            str, ForwardMsg
        ] = {}  # large messages, which the server sends by reference next time

    async def search(self, typed: SearchInput) -> Shown:
        """Fills the form and presses Find."""
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
        """Clicks a row of the table."""
        assert self._table is not None, "There is no table to choose from."
        element, fragment = self._table
        chosen = json.dumps({"selection": {"rows": [row], "columns": [], "cells": []}})
        self._states[element] = {"string_value": chosen}
        return await self.run({}, fragment=fragment)

    async def run(self, pressed: Mapping[str, Mapping[str, Any]], *, fragment: str = "") -> Shown:
        """Sends the values of all widgets and waits for what the script makes of them."""
        message = BackMsg(
            rerun_script=ClientState(
                query_string=self._query,
                page_script_hash=self._page,
                fragment_id=fragment,
                cached_message_hashes=list(self._kept),
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
            while not self._take(ForwardMsg.FromString(await self._received()), shown):
                pass
        shown.seconds = time.perf_counter() - start
        return shown

    async def _received(self) -> bytes:
        message = await self._socket.recv()
        return message if isinstance(message, bytes) else message.encode()

    def _take(self, message: ForwardMsg, shown: Shown) -> bool:
        """Takes up what arrived; whether it was the last of this run."""
        if message.WhichOneof("type") == "ref_hash":
            message = self._kept[message.ref_hash]
        elif message.metadata.cacheable:
            self._kept[message.hash] = message
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

    def _show(self, delta: Any, shown: Shown) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        content = getattr(element, kind)
        match kind:
            case "exception":
                shown.errors.append(content.message)
            case "alert":
                shown.errors.append(content.body)
            case "html":
                shown.html += content.body
                if found := _COUNT.search(content.body):
                    shown.count = int(found[1].replace(",", ""))
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
    """The Orders page of whom the session's cookie belongs to, loaded."""
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
