"""No page is drawn past `app.py`: by a fresh web server of ours, and by one that was started without it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from pages.web.bare_run import REFUSAL
from tests.support.portal import PROJECT, end, serving, wait_for
from tests.support.ports import free_port

_OURS = {"orders": "Orders", "administration": "Administration", "refund_queue": "Refund queue"}
_MAY_BE_NAMED = ("new_session", "navigation", "page_info_changed")  # the list of pages, not what is on them


async def _messages(url: str, page: str) -> list[ForwardMsg]:
    """Everything that the server sends to a browser without a cookie that opens this page, until the run is over."""
    request = BackMsg()
    request.rerun_script.page_name = page
    request.rerun_script.context_info.url = f"{url}/{page}"
    messages: list[ForwardMsg] = []
    socket = connect(
        f"ws{url.removeprefix('http')}/_stcore/stream",
        origin=url,  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        compression=None,
        max_size=None,
        proxy=None,
    )
    async with socket as connection, asyncio.timeout(60):
        await connection.send(request.SerializeToString())
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            sent = await connection.recv()
            assert isinstance(sent, bytes)
            messages.append(ForwardMsg.FromString(sent))
    return messages


def shown(url: str, page: str) -> str:
    """What of it is on the page, as text."""
    messages = asyncio.run(_messages(url, page))
    return "\n".join(str(m) for m in messages if m.WhichOneof("type") not in _MAY_BE_NAMED)


@contextmanager
def bare(environment: dict[str, str], log: Path) -> Iterator[str]:
    """What a user of Streamlit would type."""
    url = f"http://localhost:{environment['PORT']}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", environment["PORT"]],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"{url}/_stcore/health", server, log)
        yield url
    finally:
        end(server)


@pytest.fixture
def environment(database: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": database, "PORT": str(free_port())}


@pytest.mark.parametrize("page", _OURS)
def test_the_first_that_a_fresh_server_shows_without_a_cookie_is_the_sign_in_form_alone(
    page: str, environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(environment, tmp_path / "server.log") as url:
        first = shown(url, page)
        second = shown(url, page)
    for drawn in (first, second):
        assert "sign_in_card" in drawn
        assert f'body: "{_OURS[page]}"' not in drawn, "no title of the page"
        assert REFUSAL not in drawn


def test_streamlit_run_app_says_what_to_type_and_shows_no_page(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with bare(environment, tmp_path / "server.log") as url:
        for page in ("administration", "orders", "", "profile", "reports"):
            drawn = shown(url, page)
            assert drawn.count(REFUSAL) == 1, page
            elements = [line for line in drawn.splitlines() if line.strip() == "new_element {"]
            assert len(elements) == 1, "nothing but the sentence"
    assert REFUSAL.endswith("make run")
