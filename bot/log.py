"""Structured logs. Tokens and keys never reach them, whatever a library writes into its messages."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.errors import StoreUnavailable

_TOKEN = re.compile(r"\d{5,}(?::|%3[Aa])[A-Za-z0-9_-]{20,}")
_HIDDEN = "[hidden]"


def set_up_logs(level: str, form: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send every log of the process, libraries included, to `stream` (standard error) as `text` or `json`.

    `secrets` are redacted everywhere, and so is everything that looks like a bot token.
    """
    out = stream or sys.stderr
    colours = out.isatty()
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=36)
    )
    collect: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso" if form == "json" else "%Y-%m-%d %H:%M:%SZ", utc=True),
    ]
    finish: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        # A traceback becomes text before the redactor reads it: it may quote an address with a token.
        structlog.processors.format_exc_info,
        _Redactor(secrets),
        renderer,
    ]
    structlog.configure(
        processors=[*collect, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=collect, processors=finish))
    handler.set_name(form)
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, quiet in (("asyncio", _OutOfFiles()), ("aiohttp.server", _WithoutTraceback())):
        logger = logging.getLogger(name)
        logger.filters = [quiet]
    # httpx writes every address at INFO, and Telegram's addresses contain the token.
    for chatty in ("httpx", "httpcore", "aiohttp.access", "telegram", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It writes a traceback for each HTML page that a proxy answers with. We log what it raises then, once for
    # each outage.
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)


def is_json() -> bool:
    """Return True if a program reads what this process writes: then all of it is JSON."""
    return any(handler.get_name() == "json" for handler in logging.getLogger().handlers)


def last_words(text: str) -> str:
    """Return a line for a process that must not use its logs any more, in their form."""
    if not is_json():
        return f"{text}\n"
    at = datetime.now(UTC).isoformat()
    return json.dumps({"event": text, "level": "critical", "logger": __name__, "timestamp": at}) + "\n"


def level_of(error: Exception) -> int:
    """Return the level for a line about a database that refuses: an outage has two lines of its own."""
    return logging.DEBUG if isinstance(error, StoreUnavailable) else logging.WARNING


def get_log(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that redacts these secrets, and everything like a bot token, in a text."""
    return _Redactor(secrets).text


class _OutOfFiles(logging.Filter):
    """Lets asyncio's line about a port that accepts nothing more pass once: it comes for each try."""

    def __init__(self) -> None:
        super().__init__()
        self._told = False

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith("socket.accept() out of system resource"):
            return True
        told, self._told = self._told, True
        record.msg, record.args, record.exc_info = "too many connections: no file is left for more", (), None
        return not told


class _WithoutTraceback(logging.Filter):
    """Logs a request that is no HTTP in one line without a traceback: it is no defect of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__module__.startswith("aiohttp.http"):
            record.msg, record.args = f"a request that is no HTTP ({type(error).__name__})", ()
            record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
        return True


class _Redactor:
    """Redacts secrets in every value of a log line, however deeply nested."""

    def __init__(self, secrets: Iterable[str]) -> None:
        plain = [secret for secret in secrets if len(secret) > 5]
        # Also as they are quoted in an address. The longest first: one may be the beginning of another.
        known = sorted({*plain, *(quote(secret, safe="") for secret in plain)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        match value:
            case bool() | int() | float() | None:
                return value
            case dict():
                return {self._clean(key): self._clean(part) for key, part in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(part) for part in value]
            case _:
                return self.text(value if isinstance(value, str) else str(value))

    def text(self, text: str) -> str:
        text = _TOKEN.sub(_HIDDEN, text)
        return self._known.sub(_HIDDEN, text) if self._known else text
