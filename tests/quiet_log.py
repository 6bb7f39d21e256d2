"""A log that stays quiet: what neither the bot nor a library it uses may write during a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.testing import capture_logs
from structlog.typing import EventDict


class _Warnings(logging.Handler):
    """What libraries warn of; asyncio tells there of exceptions that nobody took."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def quiet_log(*, but_for: str | None = None) -> Iterator[None]:
    """No error, no traceback and no library's warning, but for one sentence that is expected."""
    warnings = _Warnings()
    logging.getLogger().addHandler(warnings)
    try:
        with capture_logs() as captured:
            yield
    finally:
        logging.getLogger().removeHandler(warnings)
    wrong = [*(line for line in captured if _is_wrong(line, but_for)), *warnings.lines]
    assert not wrong, wrong


def _is_wrong(line: EventDict, but_for: str | None) -> bool:
    is_error = line["log_level"] in ("error", "critical") and line["event"] != but_for
    return is_error or bool(line.get("exc_info"))
