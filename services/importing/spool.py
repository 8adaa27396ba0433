"""Where a file's rows wait until all of it was read: in memory while they are few, then in a temporary file."""

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Final, Self

from services.importing.staging_rows import OrderRows

# Bytes of lines; as rows they take about four times as much memory.
_MEMORY_BYTES: Final = 16 * 1024 * 1024


class Spool:
    """Keeps batches of rows, and gives them back in the same sequence. Nothing of it outlasts the `with` block."""

    def __init__(self) -> None:
        self._held: list[list[OrderRows]] = []
        self._size = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def put(self, batch: list[OrderRows], size: int) -> None:
        """Keep a batch; `size` is that of its lines in bytes."""
        self._size += size
        if self._size <= _MEMORY_BYTES:
            self._held.append(batch)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block
        # Rows are plain values, so the quickest form will do; only this process reads the file.
        marshal.dump([tuple(rows) for rows in batch], self._file)

    def batches(self) -> Iterator[list[OrderRows]]:
        while self._held:
            yield self._held.pop(0)
        if self._file is None:
            return
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield [OrderRows(*rows) for rows in marshal.load(self._file)]  # noqa: S302 - see above
