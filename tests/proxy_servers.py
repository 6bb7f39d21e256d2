"""Proxies of this machine: an HTTP proxy (CONNECT and plain requests, with TLS too) and a SOCKS5 proxy.

They know every name: each leads to this machine, as the names of the tests exist nowhere else.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Handle = Callable[["ProxyServer", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ProxyServer:
    """`account` is the name and password that it asks for, joined by a colon; empty asks for none."""

    scheme: str
    account: str = ""
    port: int = 0
    seen: list[str] = field(default_factory=list)
    """The host and port of each call that it let through."""
    refused: int = 0

    def url(self, account: str = "") -> str:
        host = "localhost" if self.scheme == "https" else "127.0.0.1"
        return f"{self.scheme}://{account and f'{account}@'}{host}:{self.port}"


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes = b""
) -> None:
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    there_writer.write(first)
    await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))


async def _http(proxy: ProxyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
    wanted = f"Proxy-Authorization: Basic {base64.b64encode(proxy.account.encode()).decode()}"
    if proxy.account and wanted.encode().lower() not in head.lower():
        proxy.refused += 1
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        return
    place = target if method == "CONNECT" else urlsplit(target).netloc
    proxy.seen.append(place)
    port = int(place.rpartition(":")[2])
    if method == "CONNECT":
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(reader, writer, port)
    else:
        path = target.partition(place)[2]
        await _join(reader, writer, port, head.replace(target.encode(), path.encode(), 1))


async def _socks5(proxy: ProxyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 1928, and RFC 1929 for the account."""
    _, count = await reader.readexactly(2)
    methods = await reader.readexactly(count)
    method = 2 if proxy.account else 0
    writer.write(bytes([5, method if method in methods else 0xFF]))
    if method not in methods:
        proxy.refused += 1
        writer.close()
        return
    if proxy.account:
        _, size = await reader.readexactly(2)
        name = await reader.readexactly(size)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        fits = name + b":" + password == proxy.account.encode()
        writer.write(bytes([1, 0 if fits else 1]))
        if not fits:
            proxy.refused += 1
            writer.close()
            return
    _, _, _, kind = await reader.readexactly(4)
    host = await reader.readexactly((await reader.readexactly(1))[0] if kind == 3 else {1: 4, 4: 16}[kind])
    port = int.from_bytes(await reader.readexactly(2))
    proxy.seen.append(f"{host.decode() if kind == 3 else host.hex()}:{port}")
    writer.write(bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
    await _join(reader, writer, port)


@asynccontextmanager
async def proxy_server(
    scheme: str = "http", account: str = "", tls: ssl.SSLContext | None = None
) -> AsyncIterator[ProxyServer]:
    """Run one; `tls` is for the scheme https."""
    proxy = ProxyServer(scheme, account)
    handle: Handle = _socks5 if scheme == "socks5" else _http
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handle(proxy, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()
        finally:
            running.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in [*running]:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
