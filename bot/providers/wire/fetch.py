"""Fetch finished videos. A link to one is foreign input: it may lead anywhere, to anything."""

from __future__ import annotations

import asyncio
import re
import socket
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import aiohttp
from yarl import URL

from bot.errors import FetchError
from bot.log import get_log
from bot.media.atomic_write import is_disk_error
from bot.network.proxies import proxy_connector, proxy_errors
from bot.providers.wire.addresses import is_fake, is_public
from bot.providers.wire.links import read_link

_CHUNK_BYTES = 2**18
_CONNECT_LIMIT_S = 10.0
_STALL_LIMIT_S = 20.0
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOREIGN = frozenset({"br", "zstd", "compress", "x-compress", "deflate"})
"""Packings that are not undone here."""
_NOT_YET = frozenset({408, 425, 429})

_SLOWEST_BYTES_PER_S = 10_000
"""On average, beyond `limit_s`."""
_TRIES_WITHOUT_PROGRESS = 2
_GZIP = b"\x1f\x8b"  # RFC 1952, 2.3.1; no video begins like this
_READABLE = re.compile(
    rb"\x1f\x8b|....(?:ftyp|moov|mdat|moof|free|skip|wide)|\x1a\x45\xdf\xa3|RIFF", re.DOTALL
)
"""How gzip and the usual containers begin: servers also name a packing that they did not do."""


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
    they are. Keeps no connection.

    A download that stands still for `stall_s` is broken. All of it may take `limit_s`, and longer the more
    arrives.
    """

    trusted_private_hosts: frozenset[str] = frozenset()
    proxy: str | None = field(default=None, repr=False)
    """Downloads from all hosts but `trusted_private_hosts` go through it."""
    max_bytes: int = 200_000_000
    limit_s: float = 100.0
    stall_s: float = _STALL_LIMIT_S

    async def fetch(self, url: str, target: Path, key: KeyForHost | None = None) -> None:
        """Stream the video into `target`, which appears only when it is complete.

        FetchError: `link_refused` and `too_large` are final for this link, `link_expired` means that it leads
        nowhere at present, `fetch_failed` may pass, `disk_full` is this machine's own. Links are signed
        secrets: of them only the host stands in an error.
        """
        part = target.with_name(target.name + ".part")
        try:
            async with asyncio.timeout(self.limit_s) as limit:
                with part.open("wb") as file:
                    await self._download(url, _Part(file, limit, self.max_bytes), key)
                part.replace(target)
        except TimeoutError:
            raise FetchError("fetch_failed", "too slow", again=True) from None
        except OSError as error:
            code = "disk_full" if is_disk_error(error) else "fetch_failed"
            raise FetchError(code, f"on this machine: {error.strerror}", again=True) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    async def _download(self, url: str, part: _Part, key: KeyForHost | None) -> None:
        """Go on with what broke off, as long as more arrives each time."""
        most, in_vain = 0, 0
        while True:
            before = part.received
            try:
                return await self._follow(_link(url), part, key)
            except _Cut:
                in_vain = 0 if part.tag and part.received > most else in_vain + 1
                most = max(most, part.received)
                if in_vain < _TRIES_WITHOUT_PROGRESS:
                    continue
                if part.received == before and await asyncio.to_thread(part.is_whole_mp4):
                    return None  # the server announces more than there is
                raise

    async def _follow(self, url: URL, part: _Part, key: KeyForHost | None) -> None:
        headers = {"Accept-Encoding": "identity"}
        if part.received and part.tag:
            # The rest of the same file, or the whole of the new one if it has changed.
            headers |= {"Range": f"bytes={part.received}-", "If-Range": part.tag}
        for _ in range(1 + _MOST_REDIRECTS):
            own = key.headers_for(url) if key else {}
            async with self._open(url, {**headers, **own}) as response:
                if response.status not in _REDIRECTS:
                    await self._save(response, part)
                    return
                place = response.headers.get("Location", "")
                if not place.strip():
                    raise FetchError("fetch_failed", f"{url.host} redirects nowhere", again=True)
                url = _link(place, url)
        raise FetchError("fetch_failed", f"{url.host} redirects for ever", again=False)

    @asynccontextmanager
    async def _open(self, url: URL, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Return the answer to one request, without following redirects; aiohttp's errors become ours."""
        host = (url.host or "").lower().rstrip(".")
        trusted = host in self.trusted_private_hosts
        gate = _Gate(allow_private=trusted)
        proxy = None if trusted else self.proxy
        if proxy and (private := await _private_address(host)):
            raise _private(host, is_fake(private))
        try:
            async with (
                aiohttp.ClientSession(
                    connector=proxy_connector(proxy, force_close=True)
                    if proxy
                    else aiohttp.TCPConnector(
                        socket_factory=gate, happy_eyeballs_delay=None, force_close=True
                    ),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(connect=_CONNECT_LIMIT_S, sock_read=self.stall_s),
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
                raise _private(host, is_fake(gate.refused)) from None
            raise FetchError("fetch_failed", f"no connection to {host}", again=True) from None
        except aiohttp.ClientError as error:
            raise _Cut("fetch_failed", f"{host} broke off: {type(error).__name__}", again=True) from None
        except proxy_errors():
            raise FetchError("fetch_failed", f"the proxy does not connect to {host}", again=True) from None

    async def _save(self, response: aiohttp.ClientResponse, part: _Part) -> None:
        host = response.url.host
        total = _total(response)
        if response.status == 416 and part.received and total == part.received:
            return  # the connection broke after the last byte
        _check_status(response)
        if response.status == 206 and part.received and not part.is_tagged(response.headers.get("ETag")):
            part.restart("")
            raise _Cut("fetch_failed", f"{host} has another file by now", again=True)
        if response.status == 206:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {part.received}-"):
                raise FetchError("fetch_failed", f"{host} sent another part than the rest", again=True)
        else:
            part.restart(response.headers.get("ETag", ""))
        announced = total or part.received + (response.content_length or 0)
        if announced > self.max_bytes:
            raise FetchError("too_large", f"{host} announces {announced} bytes", again=False)
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            if not part.received and packing in _FOREIGN and not _READABLE.match(chunk):
                # Nobody asked for it: another try may come past another server.
                raise FetchError("fetch_failed", f"{host} sent it packed as {packing}", again=True)
            if not await part.add(chunk):
                raise FetchError("too_large", f"{host} sends over {self.max_bytes} bytes", again=False)
        if total and part.received > total:
            part.restart("")
            raise _Cut("fetch_failed", f"{host} sent more than the rest", again=True)
        if total and part.received < total:
            raise _Cut("fetch_failed", f"{host} sent {part.received} of {total} bytes", again=True)
        if not part.received:
            raise FetchError("fetch_failed", f"{host} sent nothing", again=True)


class _Cut(FetchError):
    """The download broke off: the one kind of failure that is worth another try at once."""


class _Part:
    """What has arrived so far, and the tag of the file that it is a part of.

    A body that was packed on its way is unpacked, whatever the server says of it: it begins with gzip's mark.
    """

    def __init__(self, file: BinaryIO, limit: asyncio.Timeout, max_bytes: int) -> None:
        self.received = 0
        """Bytes of the body."""
        self.tag: str | None = None
        self._file = file
        self._limit = limit
        self._ends_at = limit.when() or 0.0
        self._room = max_bytes
        self._max_bytes = max_bytes
        self._unpacker: zlib._Decompress | None = None
        self._all = 0

    def restart(self, etag: str) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.received, self._room, self._unpacker = 0, self._max_bytes, None
        # A weak tag (W/…) does not promise the same bytes.
        self.tag = etag if etag.startswith('"') else None

    def is_whole_mp4(self) -> bool:
        """Return True if what is here ends where the last of its boxes does: ISO/IEC 14496-12, 4.2."""
        self._file.flush()
        end = self._file.tell()
        at, kinds = 0, set()
        with Path(self._file.name).open("rb") as file:
            while at + 8 <= end:
                file.seek(at)
                head = file.read(16)
                size = int.from_bytes(head[:4])
                size = int.from_bytes(head[8:]) if size == 1 else size
                kinds.add(head[4:8])
                at += max(size, 8)
        return at == end and {b"moov", b"mdat"} <= kinds

    def is_tagged(self, etag: str | None) -> bool:
        """Return True if a part with this tag belongs to what is here; most servers repeat it."""
        return etag is None or etag == self.tag

    async def add(self, chunk: bytes) -> bool:
        """Write what arrived, and give the rest the time that it takes; False if it is too much."""
        if not self.received and chunk.startswith(_GZIP):
            self._unpacker = zlib.decompressobj(wbits=31)
        self.received += len(chunk)
        self._all += len(chunk)
        self._limit.reschedule(self._ends_at + self._all / _SLOWEST_BYTES_PER_S)
        return await asyncio.to_thread(self._write, chunk)

    def _write(self, chunk: bytes) -> bool:
        try:
            data = self._unpacker.decompress(chunk, self._room + 1) if self._unpacker else chunk
        except zlib.error as error:
            raise FetchError("fetch_failed", f"packed wrongly: {error}", again=True) from None
        self._room -= len(data)
        if self._room < 0:
            return False
        self._file.write(data)
        return True


class _Gate:
    """Opens the socket of each connection, or refuses its address.

    It stands after the name was resolved and judges the very address that is connected to next, so a name
    that changes its address between a check and the call gains nothing.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.refused = ""
        """The address, if it was."""

    def __call__(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, proto, _, address = info
        if not self._allow_private and not is_public(str(address[0])):
            # Of several the fake one says why.
            self.refused = self.refused if self.refused and is_fake(self.refused) else str(address[0])
            raise PermissionError("a private address")
        return socket.socket(family, kind, proto)


async def _private_address(host: str) -> str:
    """Return a private address of `host`, empty if this machine knows none.

    The proxy looks the name up again, where private names may differ: its own rules guard its network. A fake
    address says nothing of the real one.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""  # the proxy may know it: that is what many use one for
    addresses = [str(info[4][0]) for info in found]
    return next((each for each in addresses if not is_public(each) and not is_fake(each)), "")


def is_page(path: Path) -> bool:
    """Return True if a file is what servers answer in the place of another: HTML, XML or JSON."""
    with path.open("rb") as file:
        return file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"{"))


def _check_status(response: aiohttp.ClientResponse) -> None:
    status, host = response.status, response.url.host
    if status in {200, 206}:
        return
    if 400 <= status < 500 and status not in _NOT_YET:
        raise FetchError("link_expired", f"{host}: HTTP {status}", again=False)
    raise FetchError("fetch_failed", f"{host}: HTTP {status}", again=True)


def _total(response: aiohttp.ClientResponse) -> int | None:
    """Return the bytes of the whole file, from a `Content-Range`: RFC 9110, 14.4."""
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isascii() and total.isdigit() and len(total) < 16 else None


def _private(host: str, fake: bool) -> FetchError:
    """Say which setting allows it. A proxy on this machine gives every name an address that is not real: that
    says nothing about the link."""
    detail = f"{host} has a private address: TRUSTED_PRIVATE_HOSTS={host} would allow it"
    get_log(__name__).error("a video is not fetched", reason=detail)
    return FetchError("link_refused", detail, again=fake, fake_host=host if fake else "")


def _link(text: str, origin: URL | None = None) -> URL:
    url = read_link(text, origin)
    if url is None:
        raise FetchError("link_refused", "not an http address", again=False)
    return url
