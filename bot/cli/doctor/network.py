"""Check the network: Telegram and the token, the clock, and the bot's public address."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from bot.cli.doctor.finding import Finding, State
from bot.errors import SettingsError
from bot.network.proxies import Proxy, environment_proxy, is_this_machine, proxy_connector, proxy_errors
from bot.settings import Settings, proxy_for_heartbeat, proxy_for_provider, proxy_for_telegram

_LIMIT_S = 10.0
_MAX_ANSWER_BYTES = 100_000
_SKEW_SEEN_S = 60.0
_SKEW_WRONG_S = 300.0
"""Volcengine refuses signatures with a wrong time; the allowed difference is not documented."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    fields: Mapping[str, object] = field(default_factory=dict)
    """The JSON object of the body; empty when the body is anything else."""
    ahead_s: float | None = None
    """How far our clock is ahead of the server's; None if the server sent no time."""


@dataclass(frozen=True, slots=True)
class FailedCall:
    reason: str
    """Why there was no answer, as the second half of a sentence."""


async def check_telegram(settings: Settings, clock: Callable[[], datetime]) -> list[Finding]:
    """Check that Telegram can be reached and knows the token, and compare the clocks."""
    token = settings.telegram_bot_token
    # Without a token, the refusal still shows who answers.
    key = token.get_secret_value() if token else "0"
    host = URL(settings.telegram_api_url).host_port_subcomponent or "TELEGRAM_API_URL"
    answer: Answer | FailedCall
    try:
        proxy = proxy_for_telegram(settings)
        answer = await ask(f"{settings.telegram_api_url}/bot{key}/getMe", clock, proxy)
    except SettingsError as error:
        answer = FailedCall(str(error).removesuffix("."))
    found = [judge_telegram(answer, host), judge_token(answer, is_set=token is not None)]
    return [*found, *judge_inline_mode(answer), judge_clock(answer, host)]


async def check_public_address(
    settings: Settings, clock: Callable[[], datetime], by_link: list[str], *, is_running: bool
) -> list[Finding]:
    """Check that providers can reach the bot at PUBLIC_URL. `by_link`: models that fetch photos there."""
    what = "public address"
    if settings.public_url is None:
        if not by_link:
            return []
        seen = f"PUBLIC_URL is not set, so {', '.join(by_link)} cannot take photos."
        return [
            Finding(what, "warning", seen, "Set PUBLIC_URL and LISTEN_PORT, or use other models for photos.")
        ]
    url = f"{settings.public_url}/healthz"
    answer: Answer | FailedCall
    try:
        answer = await ask(url, clock, environment_proxy(url))
    except SettingsError as error:
        answer = FailedCall(str(error).removesuffix("."))
    port = f"{settings.listen_host}:{settings.listen_port}"
    shown = str(URL(settings.public_url).with_user(None))
    return [judge_public_address(answer, shown, port, is_running=is_running)]


def list_ways(settings: Settings, providers: Iterable[str]) -> Finding:
    """Say which way the calls to Telegram, to HEARTBEAT_URL and to each provider take."""
    setting = "TELEGRAM_PROXY"
    try:
        ways = {"telegram": proxy_for_telegram(settings)}
        setting = "HEARTBEAT_PROXY"
        if settings.heartbeat_url is not None:
            ways["heartbeat"] = proxy_for_heartbeat(settings)
    except SettingsError as error:
        return Finding("proxies", "wrong", f"{error}", f"Correct it, or set {setting}: that counts first.")
    ways |= {provider: proxy_for_provider(settings, provider) for provider in providers}
    groups: dict[str, list[str]] = {}
    for name, proxy in ways.items():
        address = getattr(settings, f"{name}_base_url", None) or ""
        way = f"through {proxy}" if proxy and not is_this_machine(URL(address).host or "") else "directly"
        groups.setdefault(way, []).append(name)
    told = "; ".join(f"{', '.join(names)} {way}" for way, names in groups.items())
    return Finding("proxies", "ok", f"{told[0].upper()}{told[1:]}.")


async def ask(
    url: str, clock: Callable[[], datetime], proxy: Proxy | None = None, limit_s: float = _LIMIT_S
) -> Answer | FailedCall:
    """GET `url`, through `proxy` if there is one. Follows no redirect, never raises."""
    connector = proxy_connector(proxy.url) if proxy else None
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=limit_s)
            ) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            ahead_s = _ahead_s(response.headers.get("Date", ""), clock())
            raw = bytearray()
            async for chunk in response.content.iter_any():
                raw += chunk
                if len(raw) > _MAX_ANSWER_BYTES:
                    break
            return Answer(response.status, _object(bytes(raw)), ahead_s)
    # Never show the errors' own texts: they quote the URL, and Telegram's contains the token.
    except aiohttp.ClientConnectorDNSError:
        return FailedCall("its name is unknown")
    except aiohttp.ClientSSLError:
        return FailedCall("no trusted certificate")
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, ConnectionRefusedError)
        return FailedCall("the connection is refused" if refused else "there is no route to it")
    except TimeoutError:
        return FailedCall(f"no answer within {limit_s:g} s")
    except (aiohttp.ClientError, ValueError, OSError) as error:
        return FailedCall(f"the connection breaks ({type(error).__name__})")
    except proxy_errors():
        return FailedCall(f"the proxy {proxy} does not let it through")


def judge_telegram(answer: Answer | FailedCall, host: str) -> Finding:
    match answer:
        case FailedCall():
            mend = (
                "Check the network. If Telegram is blocked, set TELEGRAM_PROXY, or another TELEGRAM_API_URL."
            )
            return Finding("telegram", "wrong", f"{host} cannot be reached: {answer.reason}.", mend)
        case Answer(status) if status >= 500 or status == 429:
            seen = f"{host} has a problem or is too busy: it returns HTTP {status}."
            return Finding("telegram", "warning", seen, "Try again in some minutes.")
        case Answer(fields={"ok": bool()}):
            return Finding("telegram", "ok", f"{host} answers.")
        case Answer(status):
            seen = f"The server at {host} is not a Bot API (HTTP {status})."
            return Finding(
                "telegram", "wrong", seen, "Correct TELEGRAM_API_URL, or unset it to use Telegram itself."
            )


def judge_token(answer: Answer | FailedCall, *, is_set: bool) -> Finding:
    if not is_set:
        return Finding(
            "token",
            "wrong",
            "TELEGRAM_BOT_TOKEN is not set.",
            "Get one from @BotFather and put it into .env.",
        )
    match answer:
        case Answer(200, {"ok": True, "result": {"username": str(name)}}) if re.fullmatch(r"\w+", name):
            return Finding("token", "ok", f"It is the token of @{name}.")
        case Answer(401 | 404, {"ok": False}):
            return Finding(
                "token", "wrong", "Telegram does not know this token.", "Copy it again from @BotFather."
            )
        case _:
            return Finding("token", "warning", "Telegram could not be asked about it.")


def judge_inline_mode(answer: Answer | FailedCall) -> list[Finding]:
    """Say how to switch inline mode on, or off, if Telegram says which it is. Both are fine."""
    match answer:
        case Answer(200, {"ok": True, "result": {"supports_inline_queries": True}}):
            seen = "It is on: people can send their videos in any chat by typing the bot's name."
            return [Finding("inline mode", "ok", seen)]
        case Answer(200, {"ok": True, "result": {"supports_inline_queries": False}}):
            seen = "It is off: people cannot send their videos in other chats by typing the bot's name."
            mend = (
                "If you want it, send /setinline to @BotFather, choose the bot and send a hint such as "
                "“your videos”."
            )
            return [Finding("inline mode", "ok", seen, mend)]
        case _:
            return []


def judge_clock(answer: Answer | FailedCall, host: str) -> Finding:
    if isinstance(answer, FailedCall) or answer.ahead_s is None:
        return Finding("clock", "warning", f"{host} did not send the time, so it cannot be compared.")
    off_s = abs(answer.ahead_s)
    state: State = "wrong" if off_s > _SKEW_WRONG_S else "warning" if off_s > _SKEW_SEEN_S else "ok"
    if state == "ok":
        return Finding("clock", state, f"It agrees with the clock of {host}.")
    seen = f"It is {_span(off_s)} {'ahead of' if answer.ahead_s > 0 else 'behind'} the clock of {host}."
    return Finding(
        "clock",
        state,
        seen,
        "Set this machine's clock by NTP: Volcengine refuses signatures with a wrong time.",
    )


def judge_public_address(answer: Answer | FailedCall, url: str, listens: str, *, is_running: bool) -> Finding:
    what = "public address"
    match answer:
        case Answer(200 | 503, {"status": "ok" | "unwell" as health}):
            if _is_private(URL(url).host or ""):
                mend = "Set PUBLIC_URL to an address that the internet can reach."
                return Finding(what, "warning", f"{url} answers, but only in this network.", mend)
            if health == "unwell":
                mend = "Look at its log."
                return Finding(
                    what, "warning", f"{url} answers, and reports that the bot is unhealthy.", mend
                )
            return Finding(what, "ok", f"{url} answers as a Dreamreel.")
        case FailedCall() | Answer(status=502 | 503 | 504) if not is_running:
            seen = f"{url} cannot be checked: the bot is not running, so it cannot answer."
            return Finding(what, "warning", seen, "Start the bot, then run this again.")
        case FailedCall():
            mend = f"Point it to {listens}. If it opens from outside this network, it works."
            return Finding(what, "wrong", f"{url} does not answer: {answer.reason}.", mend)
        case Answer(status) if 300 <= status < 400:
            mend = "Set PUBLIC_URL to the final address: not every provider follows redirects."
            return Finding(what, "wrong", f"{url} redirects to another address (HTTP {status}).", mend)
        case Answer(status):
            seen = f"Another server answers at {url} (HTTP {status})."
            return Finding(what, "wrong", seen, f"Point it to {listens}, with or without its path.")


def _ahead_s(date: str, now: datetime) -> float | None:
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    # HTTP sends the time in GMT, in whole seconds, rounded down.
    return (now - told.replace(tzinfo=UTC)).total_seconds() - 0.5


def _object(raw: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _span(seconds: float) -> str:
    for unit, length_s in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"
