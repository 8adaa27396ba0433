"""docs/connections.md as an integrator uses it: what can be pasted is run, what is a message is checked."""

import base64
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import playwright
import psycopg
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.middleware import Middleware

from db.connections.roles import libpq_url
from pages.web.gate import Gate
from pages.web.helpdesk import HELP_DESK_ROUTES
from pages.web.hooks import HOOK_ROUTES
from services.connections.documents import check_document
from services.connections.messages import MessageType
from services.delivery.outcomes import PAUSES
from services.events.event_types import EventType
from tests.services.helpdesk.support import help_desk
from tests.support import factories
from tests.support.documentation import ROOT, code_text, text_of
from tests.support.factories import document, run
from tests.support.served_app import served_app

PAGE = ROOT / "docs" / "connections.md"
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(PAGE), re.M | re.S)


def table(first_heading: str) -> list[list[str]]:
    """The cells of the table whose first column has that heading."""
    rows = text_of(PAGE).split(f"| {first_heading} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


@pytest.fixture(scope="module")
def port(database: str) -> Iterator[int]:
    factories.take_in(
        document(checkout_page="demo-eu", customer={"email": "ines@example.com", "first_name": "Inês"})
    )
    app = Starlette(routes=[*HOOK_ROUTES, *HELP_DESK_ROUTES], middleware=[Middleware(Gate)])
    with served_app(app) as port:
        yield port


def pasted(script: str, folder: Path, **variables: str) -> str:
    """What a shell prints that was given the text."""
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_order_on_the_page_can_be_pasted_and_arrives(port: int, tmp_path: Path) -> None:
    _, key = help_desk("demo-eu", kind="webhooks", secret=SECRET)
    values, message, request, _ = blocks("bash")
    assert "ADDRESS=https://support.example.com/hooks/v1/c_" in values
    again = re.sub(r"^id=.*\n", "", request, flags=re.M)
    printed = pasted(
        f"{message}\n{request}\necho; {again}",
        tmp_path,
        ADDRESS=f"http://127.0.0.1:{port}/hooks/v1/{key}",
        SECRET=SECRET,
    )
    first, second = re.findall(r"HTTP/1\.1 (\d+).*?\n\n(\{.*?\})", printed, re.S)
    assert (first[0], json.loads(first[1])) == ("202", {"status": "accepted"})
    assert (second[0], json.loads(second[1])) == ("200", {"status": "known"})
    assert run("SELECT type, order_id FROM inbox") == [("order.upserted", 12345678)]
    check_document(json.loads((tmp_path / "message.json").read_text())["data"], "demo-eu")


def test_the_help_desks_request_can_be_pasted(port: int, tmp_path: Path) -> None:
    _, key = help_desk("demo-eu", secret="forty characters at most")
    printed = pasted(
        blocks("bash")[-1],
        tmp_path,
        HELP_DESK_ADDRESS=f"http://127.0.0.1:{port}/helpdesk/v1/{key}",
        HELP_DESK_SECRET="forty characters at most",
    )
    assert printed.startswith("HTTP/1.1 200")
    assert "Inês" in json.loads(printed.split("\n\n", 1)[1])["html"]


def test_the_statements_for_a_shop_with_a_database_are_allowed(port: int, database: str) -> None:
    with psycopg.connect(libpq_url(database)) as connection:
        connection.execute("SET ROLE esupport_writer")
        put, read_and_acknowledge = blocks("sql")
        assert connection.execute(put).fetchall()[0][0] > 0
        for statement in read_and_acknowledge.strip().split(";")[:2]:
            connection.execute(statement)
        connection.execute("RESET ROLE")
        row = connection.execute("SELECT body FROM inbox WHERE connection_id IS NULL").fetchone()
    assert row is not None
    check_document(json.loads(row[0])["data"], "demo-eu")


class Case(NamedTuple):
    """A request, and whether its signature is right."""

    name: str
    is_right: bool
    headers: dict[str, str]
    body: str


def cases() -> list[Case]:
    body = json.dumps(
        {"type": "refund.completed", "data": {"name": "Ærøskøbing 日本 😀"}}, ensure_ascii=False
    )

    def signed(*, seconds: int = 0, secret: str = SECRET, id_: str = "msg_1") -> dict[str, str]:
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        signature = Webhook(secret).sign(id_, at, body)
        return {
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }

    other = "whsec_" + base64.b64encode(b"another secret, of 32 bytes or so").decode()
    right, wrong = signed(), signed(secret=other)
    both = f"{wrong['webhook-signature']} {right['webhook-signature']}"
    return [
        Case("right", True, right, body),
        Case("two signatures", True, right | {"webhook-signature": both}, body),
        Case("nearly too old", True, signed(seconds=-280), body),
        Case("another secret", False, wrong, body),
        Case("too old", False, signed(seconds=-320), body),
        Case("of the future", False, signed(seconds=320), body),
        Case("another body", False, right, body + " "),
        Case("another ID", False, right | {"webhook-id": "msg_2"}, body),
        Case(
            "another time",
            False,
            right | {"webhook-timestamp": str(int(right["webhook-timestamp"]) - 1)},
            body,
        ),
        Case("no number", False, right | {"webhook-timestamp": "now"}, body),
        Case("another version", False, right | {"webhook-signature": both.replace("v1,", "v2,")}, body),
        Case("cut off", False, right | {"webhook-signature": right["webhook-signature"][:-1]}, body),
        Case("empty", False, right | {"webhook-signature": ""}, body),
        Case("no headers", False, {}, body),
    ]


# The one that Playwright brings along.
_NODE: Final = str(Path(playwright.__file__).parent / "driver" / "node")
HARNESSES = {
    "python": ([sys.executable, "-"], """
{code}
import json, sys
for secret, headers, body in json.load(open("cases.json", encoding="utf-8")):
    print(int(verify(secret, headers, body.encode())))
"""),
    "javascript": ([_NODE, "-"], """
{code}
for (const [secret, headers, body] of JSON.parse(require("node:fs").readFileSync("cases.json", "utf8")))
  console.log(verify(secret, headers, Buffer.from(body)) ? 1 : 0);
"""),
    "php": (["php"], """<?php
declare(strict_types=1);
{code}
foreach (json_decode(file_get_contents('cases.json'), true, 512, JSON_THROW_ON_ERROR) as [$secret, $headers, $body]) {{
    echo (int) verify($secret, $headers, $body), "\n";
}}
"""),
    "perl": (["perl", "-"], """
use strict; use warnings;
use JSON::PP;
{code}
open my $file, '<:raw', 'cases.json' or die;
local $/; my $cases = JSON::PP->new->utf8->decode(<$file>);
for my $case (@$cases) {{
    my ($secret, $headers, $body) = @$case;
    utf8::encode($body);
    print verify($secret, $headers, $body), "\\n";
}}
"""),
}  # fmt: skip


@pytest.mark.parametrize("language", HARNESSES)
def test_the_functions_on_the_page_tell_right_from_wrong(language: str, tmp_path: Path) -> None:
    command, harness = HARNESSES[language]
    [code] = blocks(language)
    requests = cases()
    listed = [[SECRET, case.headers, case.body] for case in requests]
    (tmp_path / "cases.json").write_text(json.dumps(listed), encoding="utf-8")
    done = subprocess.run(
        command, input=harness.format(code=code), cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert dict(zip([case.name for case in requests], done.stdout.split(), strict=True)) == {
        case.name: str(int(case.is_right)) for case in requests
    }


# Any: JSON.
def messages() -> list[dict[str, Any]]:
    return [json.loads(block) for block in blocks("json")]


def test_every_type_is_on_the_page_and_no_other() -> None:
    incoming, outgoing = (
        [row for row in table("type") if row],
        re.findall(r"^\| `([\w.]+)` \| (\w+) \| ", text_of(PAGE), re.M),
    )
    assert {row[0].strip("`") for row in incoming} == set(MessageType)
    assert dict(outgoing) == {event.value: event.topic.value for event in EventType}


def test_every_button_that_the_page_names_exists() -> None:
    prose = re.sub(r"^```.*?^```", "", text_of(PAGE), flags=re.M | re.S)
    bold = {" ".join(words.split()) for words in re.findall(r"\*\*([^*]+)\*\*", prose)}
    # What ends in a full stop begins a paragraph.
    labels = {words for words in bold if not words.endswith(".")}
    assert len(labels) > 15
    # Python and the templates of pages and of the pretend shop; "Show sent" is written of two parts.
    assert {label for label in labels if label not in code_text() and not label.startswith("Show ")} == set()


def test_the_pauses_on_the_page_are_those_of_the_worker() -> None:
    assert (0, 5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))) == PAUSES
    words = " ".join(text_of(PAGE).split())
    assert "at once, after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in words
