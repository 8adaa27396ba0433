"""The process that takes in messages and answers help desks, and does nothing else."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.services.connections.support import body_of, connect, inbox
from tests.support.factories import document
from tests.support.portal import PROJECT, hook_server
from tests.support.ports import free_port


def test_it_stores_messages_answers_help_desks_and_serves_no_page(database: str, tmp_path: Path) -> None:
    shop = connect()
    body = body_of("order.upserted", document(order_id=5))
    with hook_server(database, free_port(), tmp_path / "log") as url:
        assert _post(f"{url}/hooks/v1/{shop.key}", body, shop.headers(body, "msg_1")) == 202
        assert _post(f"{url}/hooks/v1/{shop.key}", body, shop.headers(body, "msg_1")) == 200
        assert _post(f"{url}/helpdesk/v1/{shop.key}", b"{}", {"Content-Type": "application/json"}) == 404
        for path in ("/", "/session", "/_stcore/stream", "/readyz"):
            assert _post(f"{url}{path}", b"", {}) == 404
    assert inbox("event_id, state") == [("msg_1", "waiting")]
    assert shop.key not in (tmp_path / "log").read_text(), "an address is a key"


def test_without_its_port_it_does_not_start(database: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ESUPPORT_HOOKS_PORT"}
    command = [sys.executable, "-m", "pages.web.hook_server"]
    process = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (process.returncode, process.stderr) == (1, "ESUPPORT_HOOKS_PORT is not set.\n")


def _post(address: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
