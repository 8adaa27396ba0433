"""The generated secrets of the data folder."""

from multiprocessing import get_context
from pathlib import Path

import pytest

from db.embedded import local_secrets

pytestmark = pytest.mark.slow


def test_secret_asked_for_by_many_at_once_is_one(folder: Path) -> None:
    context = get_context("fork")
    barrier, answers = context.Barrier(6), context.SimpleQueue()

    def ask() -> None:
        barrier.wait()
        answers.put(local_secrets.secret(folder / "data", "cookie"))

    askers = [context.Process(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    assert len({answers.get() for _ in askers}) == 1
    for asker in askers:
        asker.join()


def test_damaged_secrets_are_an_error(folder: Path) -> None:
    (folder / "secrets.json").write_text('{"cookie": ')
    with pytest.raises(local_secrets.DataFolderError, match="damaged"):
        local_secrets.secret(folder, "cookie")
