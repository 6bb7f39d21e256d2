"""Fetches finished videos. A link to one is foreign input: it may lead anywhere, to anything."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import aiohttp
from yarl import URL

from bot.errors import FetchError

_CHUNK_BYTES = 2**18
_CONNECT_LIMIT_S = 10.0
_STALL_LIMIT_S = 20.0
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_YET = frozenset({408, 425, 429})

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class KeyForHost:
    """A seller's key for the videos on its own host: no other host is sent it, and no other port."""

    origin: URL
    headers: Mapping[str, str] = field(repr=False)

    def headers_for(self, url: URL) -> Mapping[str, str]:
        return self.headers if url.origin() == self.origin else {}


@dataclass(frozen=True, slots=True)
class VideoFetcher:
    """Downloads from public addresses, and from `trusted_private_hosts` (names without a port) wherever
    they are. Keeps no connection."""

    trusted_private_hosts: frozenset[str] = frozenset()
    max_bytes: int = 200_000_000
    limit_s: float = 100.0

    async def fetch(self, url: str, target: Path, key: KeyForHost | None = None) -> None:
        """Stream the video into `target`, which appears only when it is complete.

        FetchError: `link_refused`, `link_expired` and `too_large` are final for this link, `fetch_failed`
        may pass. Links are signed secrets: of them only the host stands in an error.
        """
        part = target.with_name(target.name + ".part")
        try:
            async with asyncio.timeout(self.limit_s):
                with part.open("wb") as file:
                    await self._download(url, _Part(file), key)
                part.replace(target)
        except TimeoutError:
            raise FetchError("fetch_failed", f"longer than {self.limit_s:g} s", again=True) from None
        except OSError as error:
            raise FetchError("fetch_failed", f"on our disk: {error.strerror}", again=True) from error
        finally:
            part.unlink(missing_ok=True)

    async def _download(self, url: str, part: _Part, key: KeyForHost | None) -> None:
        try:
            await self._follow(_link(url), part, key)
        except _Cut:
            await self._follow(_link(url), part, key)

    async def _follow(self, url: URL, part: _Part, key: KeyForHost | None) -> None:
        headers = {"Accept-Encoding": "identity"}
        if part.size and part.etag:
            # The rest of the same file, or where it has changed the whole of the new one.
            headers |= {"Range": f"bytes={part.size}-", "If-Range": part.etag}
        for _ in range(1 + _MOST_REDIRECTS):
            own = key.headers_for(url) if key else {}
            async with self._open(url, {**headers, **own}) as response:
                if response.status not in _REDIRECTS:
                    await self._save(response, part)
                    return
                url = _link(response.headers.get("Location", ""), url)
        raise FetchError("fetch_failed", f"{url.host} redirects for ever", again=False)

    @asynccontextmanager
    async def _open(self, url: URL, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one request, with no redirect followed; aiohttp's errors become ours."""
        host = (url.host or "").lower().rstrip(".")
        gate = _Gate(allow_private=host in self.trusted_private_hosts)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(
                        socket_factory=gate, happy_eyeballs_delay=None, force_close=True
                    ),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(connect=_CONNECT_LIMIT_S, sock_read=_STALL_LIMIT_S),
                    auto_decompress=False,
                    read_bufsize=_CHUNK_BYTES,
                ) as session,
                session.get(url, headers=headers, allow_redirects=False) as response,
            ):
                yield response
        # `from None`: aiohttp's errors quote the whole link.
        except ValueError:
            # InvalidURL is one, and so is what the resolver says of a name that cannot be.
            raise FetchError("link_refused", f"{host} is no usable host", again=False) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            if gate.refused:
                raise FetchError("link_refused", f"{host} has a private address", again=False) from None
            raise FetchError("fetch_failed", f"no connection to {host}", again=True) from None
        except aiohttp.ClientError as error:
            raise _Cut("fetch_failed", f"{host} broke off: {type(error).__name__}", again=True) from None

    async def _save(self, response: aiohttp.ClientResponse, part: _Part) -> None:
        _check_status(response)
        host = response.url.host
        if response.status == 206:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-"):
                raise FetchError("fetch_failed", f"{host} sent another part than the rest", again=True)
        else:
            part.restart(response.headers.get("ETag", ""))
        if part.size + (response.content_length or 0) > self.max_bytes:
            raise FetchError("too_large", f"{host} announces {response.content_length} bytes", again=False)
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            if part.size + len(chunk) > self.max_bytes:
                raise FetchError("too_large", f"{host} sends over {self.max_bytes} bytes", again=False)
            await asyncio.to_thread(part.file.write, chunk)
            part.size += len(chunk)


class _Cut(FetchError):
    """The download broke off: the one kind of failure that is worth another try at once."""


class _Part:
    """What has arrived so far, and the tag of the file that it is a part of."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self.etag: str | None = None

    def restart(self, etag: str) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.size = 0
        # A weak tag (W/…) does not promise the same bytes.
        self.etag = etag if etag.startswith('"') else None


class _Gate:
    """Opens the socket of each connection, or refuses its address.

    It stands after the name was resolved and judges the very address that is connected to next, so a name
    that changes its address between a check and the call gains nothing.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.refused = False

    def __call__(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, proto, _, address = info
        if not self._allow_private and not is_public(str(address[0])):
            self.refused = True
            raise PermissionError("a private address")
        return socket.socket(family, kind, proto)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also where it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None:
            return ip.is_global and ip in _GLOBAL_UNICAST
        ip = inner
    return ip.is_global and not ip.is_multicast


def _check_status(response: aiohttp.ClientResponse) -> None:
    status, host = response.status, response.url.host
    if status in {200, 206}:
        return
    if 400 <= status < 500 and status not in _NOT_YET:
        raise FetchError("link_expired", f"{host}: HTTP {status}", again=False)
    raise FetchError("fetch_failed", f"{host}: HTTP {status}", again=True)


def _link(text: str, origin: URL | None = None) -> URL:
    try:
        # Signed links are used to the letter: quoting them anew could break their signature.
        url = URL(text, encoded=re.fullmatch(r"[\x21-\x7e]+", text) is not None)
        url = origin.join(url) if origin else url
        usable = url.scheme in {"http", "https"} and url.host and url.port
    except ValueError:
        usable = False
    if not usable:
        raise FetchError("link_refused", "not an http address", again=False)
    return url
