"""Processes that tests kill: copies of one that has imported everything, so that they begin within milliseconds."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from types import ModuleType

import pytest


def start_killable(
    monkeypatch: pytest.MonkeyPatch, target: Callable[..., None], *args: object
) -> ForkServerProcess:
    """A process that runs `target(*args)`, a function of a test module, in this process's environment.

    The environment is handed over: the process that copies are made of keeps the one that it began with, which names
    the database of another module.
    """
    # AppTest leaves app.py behind as the main module, which every new process would run.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["db.connections.engine", "services.delivery.worker", target.__module__])
    process = processes.Process(target=_run, args=(dict(os.environ), target, args), daemon=True)
    process.start()
    return process


def _run(environment: dict[str, str], target: Callable[..., None], args: tuple[object, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(*args)
