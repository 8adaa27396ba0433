"""Encryption, several workers, workers that are killed, and the command."""

import os
import random
import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import trustme

from services.delivery.mail_rounds import send_due
from tests.services.mail.support import SENDER, due_now, queued, send, states, trouble
from tests.support.factories import run
from tests.support.killable import start_killable
from tests.support.mail_server import DROP, MailServer, mail_server
from tests.support.rounds import WORKER_KILLS

PROJECT = Path(__file__).resolve().parents[3]


# Encryption and signing in


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority, and its certificate as a file."""
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return ca, file


def certificate(authority: tuple[trustme.CA, Path], host: str = "localhost") -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert(host).configure_cert(context)
    return context


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_encrypted_and_signed_in(
    way: str, authority: tuple[Any, ...], people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("DELETE FROM mail")
    queued(2)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    with mail_server(**{way: certificate(authority)}, password="p@ss word/%") as server:
        scheme, option = ("smtp", "&starttls=1") if way == "starttls" else ("smtps", "")
        wrong = f"{scheme}://portal:no@localhost:{server.port}?timeout=2{option}"
        assert str(send_due(wrong, SENDER)) == "0 sent, 2 put off, 0 failed"
        due_now()
        right = f"{scheme}://portal:p%40ss%20word%2F%25@localhost:{server.port}?timeout=2{option}"
        assert str(send_due(right, SENDER)) == "2 sent, 0 put off, 0 failed"
        assert [(got.is_encrypted, got.login) for got in server.accepted] == [(True, "portal")] * 2


@pytest.mark.parametrize("way", ["starttls", "tls"])
@pytest.mark.parametrize("what", ["unknown authority", "another host", "no encryption"])
def test_what_cannot_be_trusted_gets_nothing(
    way: str, what: str, authority: tuple[Any, ...], people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("DELETE FROM mail")
    queued(2)
    if what != "unknown authority":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    host = "elsewhere.example" if what == "another host" else "localhost"
    options = {} if what == "no encryption" else {way: certificate(authority, host)}
    with mail_server(**options) as server:
        scheme, option = ("smtp", "&starttls=1") if way == "starttls" else ("smtps", "")
        url = f"{scheme}://localhost:{server.port}?timeout=2{option}"
        assert str(send_due(url, SENDER)) == "0 sent, 2 put off, 0 failed"
        assert server.accepted == []
    assert (trouble() or "").startswith(f"localhost:{server.port} could not be used: ")


# Several workers, and workers that die


def test_several_workers_send_each_message_once(people: dict[str, int], server: MailServer) -> None:
    queued(300)
    with ThreadPoolExecutor(4) as pool:
        tallies = list(pool.map(lambda _: send_due(server.url, SENDER), range(4)))
    assert sum(tally.sent for tally in tallies) == 300
    assert sum(tally.sent > 0 for tally in tallies) > 1
    assert Counter(got.recipients[0] for got in server.accepted) == Counter(
        f"p{n}@example.com" for n in range(1, 301)
    )


def _die_somewhere(url: str) -> None:
    """A worker in a process of its own: sends until it is killed."""
    while True:
        send_due(url, SENDER)
        time.sleep(0.01)


@pytest.mark.slow
def _kill_at_work(process: BaseProcess, server: MailServer, chance: random.Random) -> None:
    handed = len(server.accepted)
    deadline = time.monotonic() + 20
    while len(server.accepted) == handed and time.monotonic() < deadline:
        time.sleep(0.001)  # until it has begun
    time.sleep(chance.uniform(0, 0.1))
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_killed_again_and_again_over_many_messages(
    people: dict[str, int], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every message arrives once or is reported as failed; none is lost and none doubled."""
    messages = 20 * WORKER_KILLS
    chance = random.Random(7)
    queued(messages)

    def trouble(content: bytes) -> str | None:
        return chance.choices([None, "451 later", "550 never", DROP], [90, 6, 2, 2])[0]

    server.on_data, server.keeps_unanswered = trouble, True
    kills = 0
    while kills < WORKER_KILLS:
        process = start_killable(monkeypatch, _die_somewhere, server.url)
        _kill_at_work(process, server, chance)
        kills += 1
        due_now()
        if states()["queued"] < 20:  # so that the last ones have something to die over
            run(
                "INSERT INTO mail (message_id, kind, to_address, subject, text_body) "
                "SELECT '<' || gen_random_uuid() || '@test.example>', 'refund', 'p@example.com', 's', 't' "
                "FROM generate_series(1, 200)"
            )
    while states()["queued"]:
        due_now()
        send(server)
    rows = {row.message_id: row for row in run("SELECT message_id, state, last_error FROM mail")}
    arrived = Counter(str(got.message["Message-ID"]) for got in server.accepted)
    assert len(rows) >= messages
    assert max(arrived.values()) == 1
    assert {row.state for row in rows.values()} == {"sent", "failed"}
    assert {key for key, row in rows.items() if row.state == "sent"} - set(arrived) == set()
    # What was reported as failed arrived only where the report says that it may have.
    uncertain = {key for key, row in rows.items() if "may or may not have arrived" in (row.last_error or "")}
    assert {key for key in arrived if rows[key].state == "failed"} <= uncertain
    assert 0 < len(uncertain) <= WORKER_KILLS + 60
    # A worker may die while its note of the handover is being committed: such a note is outlived, and forgotten.
    assert (
        len(run("SELECT 1 FROM mail_handover h JOIN mail m ON m.id = h.mail_id WHERE m.state = 'queued'"))
        == 0
    )


def test_a_pause_for_all_leaves_out_what_a_lost_worker_handed_over(
    people: dict[str, int], server: MailServer
) -> None:
    queued(3)
    run("INSERT INTO mail_handover SELECT max(id) FROM mail")
    server.on_mail = lambda _: "421 no"
    assert send(server) == "0 sent, 2 put off, 0 failed"
    server.on_mail = lambda _: None
    due_now()
    assert send(server) == "2 sent, 0 put off, 1 failed"
    assert server.to("p3@example.com") == []


def test_the_command(people: dict[str, int], server: MailServer, database: str) -> None:
    queued(2)

    def command(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.mail", "--once"],
            cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert "SMTP_URL is not set" in command().stdout
    assert states() == {"queued": 2}
    assert command(SMTP_URL=server.url, MAIL_FROM=SENDER).stdout == "2 sent, 0 put off, 0 failed\n"
    assert server.accepted[0].message["From"] == SENDER


def has_accepted(server: MailServer, number: int) -> bool:
    return len(server.accepted) == number


def test_the_worker_goes_on_until_it_is_told_to_stop(
    people: dict[str, int], server: MailServer, database: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "services.mail"],
        cwd=PROJECT,
        env=os.environ | {"SMTP_URL": server.url},
    )
    try:
        for number in (1, 2):
            run("DELETE FROM mail")
            queued(1)
            wait_for(partial(has_accepted, server, number))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
