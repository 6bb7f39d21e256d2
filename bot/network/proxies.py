"""Which proxy a call goes through: the one of the settings, else that of the environment, else none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from bot.errors import SettingsError
from bot.network.account_urls import quote_account, without_account

if TYPE_CHECKING:
    import aiohttp

DIRECT = "none"
"""What a setting says to use no proxy, also if the environment names one."""
_PORTS = {"http": 80, "https": 443, "socks5": 1080}
_SOCKS = {"socks": "socks5", "socks5h": "socks5"}
"""Other names of it. The proxy looks up the names of hosts in each case."""
WANTED = "socks5://host:1080, http://name:password@host:3128 or https://host:443; or none"


@dataclass(frozen=True, slots=True)
class Proxy:
    """`setting` names where it is set, for people."""

    url: str = field(repr=False)
    setting: str

    def __str__(self) -> str:
        return f"{without_account(self.url)} ({self.setting})"


def read_proxy(text: str) -> str:
    """Return the address of a proxy as libraries read it, or `none`. Raises ValueError."""
    if text.lower() == DIRECT:
        return DIRECT
    try:
        url = quote_account(text)
        parts = urlsplit(url)
        scheme = _SOCKS.get(parts.scheme, parts.scheme)
        usual = _PORTS[scheme]
        port = parts.port or usual
    except (ValueError, KeyError):
        raise ValueError(WANTED) from None
    if not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(WANTED)
    account = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{account}{host}:{port}"


def environment_proxy(url: str, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy of the environment for `url`: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, but for NO_PROXY.

    Raises SettingsError if that names no proxy that can be used.
    """
    proxies = getproxies() if environment is None else environment
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_this_machine(host) or _is_exempt(host, parts.port, proxies.get("no", "")):
        return None
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    address = proxies.get(kind)
    if not address:
        return None
    setting = f"{kind.upper()}_PROXY"
    try:
        read = read_proxy(address if "://" in address else f"http://{address}")
    except ValueError:
        raise SettingsError(f"{setting} of the environment is no proxy that can be used: {WANTED}.") from None
    return Proxy(read, setting)


def is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def proxy_connector(proxy: str, **options: Any) -> aiohttp.BaseConnector:
    """Return a connector for aiohttp that makes each connection through `proxy`, as `read_proxy` gives it."""
    import ssl  # noqa: PLC0415 - 60 ms with the next two, and most bots need no proxy

    from aiohttp_socks import ProxyConnector, ProxyType  # noqa: PLC0415

    parts = urlsplit(proxy)
    kind = ProxyType.SOCKS5 if parts.scheme == "socks5" else ProxyType.HTTP
    return ProxyConnector(
        parts.hostname or "",
        parts.port or 0,
        kind,
        None if parts.username is None else unquote(parts.username),
        None if parts.username is None else unquote(parts.password or ""),
        rdns=True,
        proxy_ssl=ssl.create_default_context() if parts.scheme == "https" else None,
        **options,
    )


def proxy_errors() -> tuple[type[Exception], ...]:
    """Return what a call through `proxy_connector` raises if the proxy refuses: nothing was sent then."""
    from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError  # noqa: PLC0415

    return ProxyConnectionError, ProxyError, ProxyTimeoutError


def _is_exempt(host: str, port: int | None, listed: str) -> bool:
    return any(_matches(host.lower(), port, entry) for entry in _entries(listed))


def _entries(listed: str) -> Iterable[str]:
    """Read NO_PROXY in all the forms that programs take: commas or spaces, with a scheme, a path, a star."""
    for entry in re.split(r"[,;\s]+", listed.lower()):
        if entry:
            yield entry.rpartition("://")[2]


def _matches(host: str, port: int | None, entry: str) -> bool:
    if entry == "*":
        return True
    network = entry.strip("[]")
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:  # one of them is a name
        pass
    entry = entry.partition("/")[0]
    name, colon, entry_port = entry.rpartition(":")
    if colon and entry_port.isdigit():
        if port is not None and int(entry_port) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
