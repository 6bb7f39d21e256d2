"""What the outcome of an HTTP call to a provider means: decided here, once for all of them.

| outcome                                    | submit                      | poll                        |
|--------------------------------------------|-----------------------------|-----------------------------|
| no connection: refused, DNS, TLS, too slow | Unavailable `unreachable`   | Unavailable `unreachable`   |
| cut, reset, half an answer, no answer      | OutcomeUnknown              | Unavailable `unreachable`   |
| an answer                                  | the adapter reads its words | the adapter reads its words |
| none of its words, but HTTP 429            | Unavailable `busy`          | Unavailable `busy`          |
| a web server's own refusal: 401, 404, 413… | AccountProblem, Rejected    | Unavailable `unreachable`   |
| none of its words: a page, another format  | OutcomeUnknown              | Unavailable `unreachable`   |
"""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import aiohttp
from pydantic import SecretStr
from yarl import URL

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Trouble, Unavailable
from bot.network.proxies import is_this_machine, proxy_connector, proxy_errors
from bot.providers.wire.fields import number_of
from bot.providers.wire.ids import may_name_a_job, mentioned_ids
from bot.worker import schedule

_LONGEST_PAUSE_S = 3600.0
_LONGEST_TEXT = 20_000

NOT_PASSED_ON: Mapping[int, Trouble] = {
    301: "wrong_address",
    308: "wrong_address",
    401: "key_refused",
    402: "no_balance",
    403: "wrong_address",
    404: "wrong_address",
    405: "wrong_address",
    410: "wrong_address",
}
"""What a web server answers when it does not pass a call on: nothing was ordered. A 302 or 303 may follow
upon a call that was made, and a 5xx too."""


class Call(Enum):
    SUBMIT = "submit"
    """Buys: what does not prove a refusal may have been accepted and charged."""
    POLL = "poll"
    """Asks: an outcome that tells nothing costs nothing, and the poll is repeated."""


@dataclass(frozen=True, slots=True)
class Answer:
    call: Call
    status: int
    fields: Mapping[str, object] = field(default_factory=dict)
    """The JSON object of the body, or `data` with the list of them in its place; empty for anything else."""
    retry_after_s: float | None = None
    text: str = field(default="", repr=False, compare=False)
    """The beginning of a body that is none of both, only to be searched."""

    @property
    def told_status(self) -> int:
        """The HTTP status; of a success that is none the one that the body names as its code."""
        code = number_of(self.fields.get("code"))
        return code if self.status < 400 and code is not None and 400 <= code < 600 else self.status


def bearer(key: SecretStr) -> dict[str, str]:
    """Return the header with the key that most providers ask for."""
    return {"Authorization": f"Bearer {key.get_secret_value()}"}


@dataclass(frozen=True, slots=True)
class Http:
    """Calls a provider, each time on a connection of its own, and never twice.

    A connection that is kept may be closed by the other side just as the next submit goes out. That would
    be a submit of unknown outcome for nothing, so none is kept.
    """

    connect_limit_s: float = 10.0
    submit_limit_s: float = schedule.SUBMIT_LIMIT_S
    poll_limit_s: float = schedule.POLL_LIMIT_S
    max_answer_bytes: int = 2_000_000
    proxy: str | None = field(default=None, repr=False)
    """Each call but those to this machine goes through it."""

    async def submit(self, url: URL, headers: Mapping[str, str], job: Callable[[], object]) -> Answer:
        """Order what `job` returns with a POST of JSON. Raises as `send` does.

        The JSON is made in a thread: with photos it is megabytes, which would hold up the event loop.
        """
        body = await asyncio.to_thread(lambda: json.dumps(job()).encode())
        return await self.send(
            Call.SUBMIT, "POST", url, {**headers, "Content-Type": "application/json"}, body
        )

    async def send(
        self, call: Call, method: str, url: URL, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Return the answer, whatever it says. Raises Unavailable or OutcomeUnknown if there is none.

        Sends `headers` and `body` as they are. Redirects are answers like any other. `method` of a submit is
        POST: aiohttp repeats the methods that change nothing when a connection breaks.
        """
        limit_s = self.submit_limit_s if call is Call.SUBMIT else self.poll_limit_s
        proxy = None if is_this_machine(url.host or "") else self.proxy
        try:
            async with (
                aiohttp.ClientSession(
                    connector=proxy_connector(proxy, force_close=True)
                    if proxy
                    else aiohttp.TCPConnector(force_close=True),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=limit_s, connect=self.connect_limit_s),
                ) as session,
                session.request(
                    method,
                    url,
                    headers=headers,
                    # A file is sent in pieces; bytes this large would hold up the event loop.
                    data=None if body is None else io.BytesIO(body),
                    allow_redirects=False,
                ) as response,
            ):
                raw = await self._read(response)
                pause = response.headers.get("Retry-After", "")
                fields = _fields(raw)
                text = "" if fields else raw[:_LONGEST_TEXT].decode(errors="replace")
                return Answer(call, response.status, fields, _pause_s(pause), text)
        except ValueError as error:
            # An address or a header that cannot be sent: nothing went out.
            raise Unavailable("unreachable", f"no call to {url.host}: {type(error).__name__}") from None
        # `from None`: aiohttp's errors hold the address and the headers, so the key or the signature too.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unavailable("unreachable", f"no connection to {url.host}: {_kind(error)}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):  # through a proxy: nothing went out
                raise Unavailable("unreachable", f"no connection to {url.host}: its certificate") from None
            raise nothing_told(call, f"no answer from {url.host}: {_kind(error)}") from None
        except proxy_errors():
            raise Unavailable("unreachable", f"the proxy does not connect to {url.host}") from None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        raw = bytearray()
        async for chunk in response.content.iter_any():
            raw += chunk
            if len(raw) > self.max_answer_bytes:
                raise aiohttp.ClientPayloadError("too large")
        return bytes(raw)


def nothing_told(call: Call, detail: str) -> ProviderError:
    """Return the error for an outcome that proves neither an acceptance nor a refusal."""
    if call is Call.SUBMIT:
        return OutcomeUnknown("submit_unknown", detail)
    return Unavailable("unreachable", detail)


def unclear(answer: Answer, detail: str) -> ProviderError:
    """Return the same for an answer; whatever in it could be the id of a paid job goes to the log."""
    ids = mentioned_ids(answer.fields, answer.text) if answer.call is Call.SUBMIT else ""
    return nothing_told(answer.call, f"{detail}, perhaps job {ids}" if ids else detail)


def unreadable(answer: Answer) -> ProviderError:
    """Return the error for an answer in which the adapter finds no word of its provider. 429 speaks for
    itself, and so does what web servers answer to a submit that they do not pass on."""
    detail = f"HTTP {answer.status} and no word that we know"
    if answer.status == 429:
        return Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if answer.call is Call.SUBMIT and not may_name_a_job(answer.fields):
        if answer.status == 413:
            return Rejected("photo_too_large", detail)
        if answer.status in NOT_PASSED_ON:
            hint = "check the address (…_BASE_URL) and the key in the settings"
            trouble = NOT_PASSED_ON[answer.status]
            return AccountProblem("account", f"{detail}: {hint}", trouble=trouble)
    return unclear(answer, detail)


def _fields(raw: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    if isinstance(parsed, list) and any(isinstance(one, dict) for one in parsed):
        return {"data": parsed}
    return parsed if isinstance(parsed, dict) else {}


def _pause_s(header: str) -> float | None:
    """Return Retry-After in seconds; its other form, a date, is left to our own backoff."""
    return min(float(header), _LONGEST_PAUSE_S) if header.isascii() and header.isdigit() else None


def _kind(error: Exception) -> str:
    """Return what went wrong, without the text, which may quote an address or a header."""
    reason = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return type(reason).__name__
