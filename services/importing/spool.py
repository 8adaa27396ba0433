"""Storage for the rows of a file until all of it has been read: in memory while they are few, then a temporary file."""

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Final, Self

from services.importing.staging_rows import OrderRows

# Bytes of lines; as rows they take about four times as much memory.
_MEMORY_BYTES: Final = 16 * 1024 * 1024


class Spool:
    """Stores batches of rows and returns them in the same sequence. Nothing of it outlasts the `with` block."""

    def __init__(self) -> None:
        self._in_memory: list[list[OrderRows]] = []
        self._size = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def put(self, batch: list[OrderRows], size: int) -> None:
        """Store a batch; `size` is that of its lines in bytes."""
        self._size += size
        if self._size <= _MEMORY_BYTES:
            self._in_memory.append(batch)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block
        # The fastest form, because rows hold plain values and only this process reads the file.
        marshal.dump([rows.as_tuples() for rows in batch], self._file)

    def batches(self) -> Iterator[list[OrderRows]]:
        while self._in_memory:
            yield self._in_memory.pop(0)
        if self._file is None:
            return
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield [OrderRows.from_tuples(rows) for rows in marshal.load(self._file)]  # noqa: S302 - see `put`
