"""Uploads: a file from the disk on its way to Telegram, never whole in memory."""

from __future__ import annotations

from typing import IO, Any

from telegram import InputFile

_PIECE_BYTES = 2**18
"""The library below reads and sends 64 KiB at a time; four times as much halves what an upload costs the
processor (`benchmarks/delivery.py`)."""


def streamed(file: IO[bytes], filename: str, *, attach: bool = False) -> InputFile:
    """`file` as it is read, piece by piece. `attach` where it is part of a medium: without it the message
    would go out without its medium."""
    pieces: Any = _Pieces(file)
    return InputFile(pieces, filename=filename, attach=attach, read_file_handle=False)


class _Pieces:
    """An open file that gives more than it is asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.fileno = file.fileno
        self.seek = file.seek

    def read(self, _size: int = -1) -> bytes:
        return self._file.read(_PIECE_BYTES)
