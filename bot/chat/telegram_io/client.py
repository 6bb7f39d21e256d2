"""The connection to Telegram, and what its errors mean."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx  # python-telegram-bot's own, which passes such settings on to it
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.chat.telegram_io.rate_limiter import RateLimiter, seconds
from bot.errors import (
    CallRefused,
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatError,
    ChatForbids,
    ChatGone,
    ChatMoved,
)
from bot.network.proxies import Proxy
from bot.send_rates import Urgency

_CONNECTIONS = 32
_KEPT_OPEN = 8
"""While they are idle. httpx looks at each of these before and after every call: 32 of them cost a third of
the time that a call takes the processor, and Telegram's 30 messages a second need no more than a few."""
_PIECE_BYTES = 2**18
_REFUSED_PAUSE_S = 30.0
# Telegram has two spellings of each: its own codes, and the sentences that the Bot API server makes of them.
# Compared in small letters, with spaces for underscores.
_UNCHANGED = re.compile(r"message (?:is )?not modified")
_CARD_GONE = re.compile(
    r"message to edit not found|message can't be edited|message id invalid|message edit time expired"
    r"|message author required|there is no (?:text|caption|media) in the message to edit"
    r"|(?:replied message|message to (?:be replied|reply)) not found|reply message id invalid"
    r"|topic (?:deleted|closed|id invalid)|message thread (?:not found|is closed|id invalid)"
)
_FORBIDDEN = re.compile(
    r"not enough rights|no rights to send|no write access|need administrator|chat admin required"
    r"|chat (?:restricted|forbidden|write forbidden|guest send forbidden|send \w+ forbidden)"
    r"|user banned in channel|premium required|payment required"
)
_CHAT_GONE = re.compile(
    r"chat not found|deactivated|(?:peer|chat) id invalid|channel (?:private|invalid)"
    r"|blocked by the user|user is (?:blocked|bot)|was kicked|not a member|chat was deleted"
)


TelegramBot: TypeAlias = ExtBot[Urgency]
"""A call with another urgency than an ordinary message says so in `rate_limit_args`."""


def connect(
    token: str,
    api_url: str,
    rate_limiter: RateLimiter,
    on_answer: Callable[[int], None] = lambda _: None,
    *,
    local_mode: bool = False,
    proxy: Proxy | None = None,
) -> TelegramBot:
    """Return a bot at `api_url`, not yet initialised. All its calls wait for `rate_limiter`; `on_answer` is
    told the HTTP status of each answer. In `local_mode` that server and the bot share their files."""

    async def hear(response: httpx.Response) -> None:
        on_answer(response.status_code)

    def transport(connections: int, kept_open: int) -> httpx.AsyncHTTPTransport:
        # With a transport of our own httpx reads no proxy from the environment: it stumbles over some forms.
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=kept_open)
        return httpx.AsyncHTTPTransport(proxy=proxy.url if proxy else None, limits=limits)

    return ExtBot(
        token,
        rate_limiter=rate_limiter,
        local_mode=local_mode,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        # Telegram goes on working on an upload after its last byte: the default of 5 s ends too early. The
        # limit on writing is one for each piece: what stands still for so long hangs.
        request=StreamingRequest(
            connection_pool_size=_CONNECTIONS,
            connect_timeout=10,
            read_timeout=30,
            write_timeout=30,
            pool_timeout=30,
            media_write_timeout=30,
            httpx_kwargs={
                "event_hooks": {"response": [hear]},
                "transport": transport(_CONNECTIONS, _KEPT_OPEN),
            },
        ),
        # Polls have a connection of their own: uploads never keep updates waiting.
        get_updates_request=HTTPXRequest(
            connection_pool_size=1, connect_timeout=10, httpx_kwargs={"transport": transport(1, 1)}
        ),
    )


class StreamingRequest(HTTPXRequest):
    """The library's own way to download holds a file in memory, up to three times."""

    async def download(self, url: str, place: Path, max_bytes: int) -> None:
        """Write what is at `url` to `place`, piece by piece. Raises TelegramError, as every call does: also
        if it is larger than `max_bytes`."""
        try:
            async with self._client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    kind = NetworkError if response.is_server_error else BadRequest
                    raise kind(f"a file was answered with {response.status_code}")
                size = 0
                with place.open("wb") as file:
                    async for piece in response.aiter_bytes(_PIECE_BYTES):
                        size += len(piece)
                        if size > max_bytes:
                            raise BadRequest("file is too big")
                        await asyncio.to_thread(file.write, piece)
        except httpx.TimeoutException as error:
            raise TimedOut from error
        except httpx.HTTPError as error:
            raise NetworkError(type(error).__name__) from error


def is_page(error: InvalidToken) -> bool:
    """Return True if a 401 or 404 is not the Bot API's own: something else answers at its address."""
    told = error.__cause__ if isinstance(error.__cause__, InvalidToken) else error
    return told.message.startswith(("Not Found (404)", "Unauthorized (401)"))  # the library's own words


@contextmanager
def translated() -> Iterator[None]:
    """Translate Telegram's errors into ours, by what can be done about them. An edit that changes nothing is
    no error."""
    try:
        yield
    except RetryAfter as error:
        raise ChatBusy(seconds(error.retry_after)) from error
    except ChatMigrated as error:
        raise ChatMoved(error.new_chat_id) from error
    except Forbidden as error:
        _raise_refusal(error, ChatGone)
    except BadRequest as error:
        _raise_refusal(error, CallRefused)
    except (TimedOut, NetworkError) as error:
        # 413 arrives as a NetworkError too, and is a plain refusal.
        if "too large" in error.message.lower():
            raise CallRefused(error.message) from error
        raise CallUnclear(type(error).__name__) from error
    except InvalidToken as error:
        # The token was good at the start: a proxy, an outage, or a method that an older server lacks.
        raise ChatBusy(_REFUSED_PAUSE_S) from error
    except (Conflict, TelegramError) as error:
        raise CallRefused(type(error).__name__) from error


def _raise_refusal(error: TelegramError, otherwise: type[ChatError]) -> None:
    text = error.message.lower().replace("_", " ")
    if _UNCHANGED.search(text):
        return
    for pattern, kind in ((_CARD_GONE, CardGone), (_FORBIDDEN, ChatForbids), (_CHAT_GONE, ChatGone)):
        if pattern.search(text):
            raise kind(error.message) from error
    raise otherwise(error.message) from error
