"""The worker as a program: woken at once, one source never waits for another, and it ends when it is told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest

from db.connections.roles import libpq_url
from services.delivery.sources import Rest, Turns
from services.delivery.worker import main
from tests.services.delivery.support import connected_shop, happen, states
from tests.services.mail.support import queued
from tests.support.factories import run
from tests.support.hook_control import ROOT, HookReceiver
from tests.support.mail_server import HANG, MailServer, mail_server

LISTENING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN esupport_work'"
)


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def worker(database: str, shop: HookReceiver, mail: MailServer) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that listens already."""
    command = [sys.executable, "-m", "services.mail"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"SMTP_URL": mail.url})
    try:
        wait_for(lambda: listeners(database))
        yield process
    finally:
        process.kill()
        process.wait()


def listeners(database: str) -> set[int]:
    """The database's processes whose clients are sent notifications."""
    with psycopg.connect(libpq_url(database), autocommit=True) as owner:
        return {pid for (pid,) in owner.execute(LISTENING)}


def end_session(database: str, pid: int) -> None:
    with psycopg.connect(libpq_url(database), autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s)", [pid])


def have_arrived(shop: HookReceiver, number: int) -> bool:
    return len(shop.arrived()) >= number


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


Worker = subprocess.Popen[bytes]


def test_new_events_wake_the_worker(worker: Worker, connected: int, shop: HookReceiver) -> None:
    waited = []
    for number in range(8):
        time.sleep(0.3)
        happen(1)
        committed = time.time()
        wait_for(partial(have_arrived, shop, number + 1))
        waited.append(shop.arrived()[-1].at - committed)
    # Looking once a second alone would take half a second on average.
    assert sorted(waited)[len(waited) // 2] < 0.25


def test_without_notifications_the_worker_looks_by_itself_and_listens_again(
    worker: Worker, connected: int, shop: HookReceiver, database: str
) -> None:
    [listener] = listeners(database)
    end_session(database, listener)
    happen(1)
    wait_for(partial(have_arrived, shop, 1))
    wait_for(lambda: listeners(database) - {listener})


def test_a_slow_shop_holds_up_no_mail(
    worker: Worker, connected: int, shop: HookReceiver, mail: MailServer
) -> None:
    shop.always({"delay": 1.5})
    happen(1)
    wait_for(partial(have_arrived, shop, 1))
    queued(1)
    wait_for(lambda: len(mail.accepted) == 1)
    assert states() == {"waiting": 1}
    wait_for(lambda: states() == {"delivered": 1})


def test_a_mail_server_that_is_silent_holds_up_no_event(
    worker: Worker, connected: int, shop: HookReceiver, mail: MailServer
) -> None:
    asked: list[str] = []

    def hang(address: str) -> str:
        asked.append(address)
        return HANG

    mail.on_mail = hang
    queued(1)
    wait_for(lambda: asked)
    happen(1)
    wait_for(lambda: states() == {"delivered": 1})
    assert run("SELECT 1 FROM mail_server WHERE trouble IS NOT NULL") == []  # it still waits for an answer


def test_what_is_under_way_is_finished_before_the_end(
    worker: Worker, connected: int, shop: HookReceiver
) -> None:
    shop.always({"delay": 1.0})
    happen(1)
    wait_for(partial(have_arrived, shop, 1))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(9) == 0  # `make run` kills it after ten seconds
    assert states() == {"delivered": 1}


def test_once_says_what_was_done(
    connected: int, shop: HookReceiver, server: MailServer, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the signals are pytest's here
    connected_shop(shop.url("/broken"))
    shop.always({"status": 500}, path="/broken")
    happen(1, 2)
    queued(1)
    monkeypatch.setenv("SMTP_URL", server.url)
    assert main(["--once"]) == 0
    assert capsys.readouterr().out == (
        "1 sent, 0 put off, 0 failed\nDeliveries: 2 delivered, 4 put off, 0 failed\n"
    )
    monkeypatch.delenv("SMTP_URL")
    assert main(["--once"]) == 0
    assert capsys.readouterr().out == "SMTP_URL is not set: messages stay in the mail log.\n"


class Broken:
    """A source with a defect."""

    table = "broken"
    rounds = 0

    def round(self, stop: object) -> Rest:
        self.rounds += 1
        raise ValueError("a defect")

    def close(self) -> None:
        self.closed = True


class Counting:
    table = "counting"

    def __init__(self, turns: Turns) -> None:
        self.rounds = 0
        self._turns = turns

    def round(self, stop: object) -> Rest:
        self.rounds += 1
        if self.rounds == 50:
            self._turns.end()
        return Rest(0.001)

    def close(self) -> None:
        self.closed = True


def test_a_defect_of_one_source_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    turns = Turns()
    broken, counting = Broken(), Counting(turns)
    turns.run([broken, counting])
    assert counting.rounds == 50 and broken.rounds >= 1
    assert broken.closed and counting.closed
    assert "A round over the table broken failed." in caplog.text
