"""What each way in which an HTTP call can end means, on real connections."""

from __future__ import annotations

import asyncio
import json
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from socket import SO_LINGER, SOL_SOCKET, socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from bot.errors import OutcomeUnknown, ProviderError, Unavailable
from bot.providers.wire.http import Answer, Call, Http, unreadable

HASTY = Http(connect_limit_s=0.3, submit_limit_s=0.5, poll_limit_s=0.5, max_answer_bytes=10_000)
SECRET = "s3cr3t"
BODY = json.dumps({"prompt": "x" * 3_000_000}).encode()
"""Larger than what the sockets on both sides hold, so its sending can be interrupted."""

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _server(talk: Talk) -> AsyncIterator[URL]:
    """A server that says to each connection what `talk` says, and closes it."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield URL(f"http://127.0.0.1:{port}/")
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return head + await reader.readexactly(length)


async def _send(url: URL, call: Call = Call.SUBMIT, body: bytes = b"{}", http: Http = HASTY) -> Answer:
    return await http.send(call, "POST", url, {"Content-Type": "application/json"}, body)


async def _error(
    url: URL, call: Call = Call.SUBMIT, body: bytes = b"{}", http: Http = HASTY
) -> ProviderError:
    """What the call ends with. Neither the query nor a header shows in it, nor in what caused it."""
    with pytest.raises(ProviderError) as raised:
        await http.send(call, "POST", url.with_query(key=SECRET), {"Authorization": f"Bearer {SECRET}"}, body)
    shown = [repr(raised.value.__cause__), *traceback.format_exception(raised.value)]
    assert SECRET not in "".join(shown)
    return raised.value


def _saying(raw: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        writer.write(raw)
        await writer.drain()

    return talk


def _reset(writer: asyncio.StreamWriter) -> None:
    link: socket = writer.get_extra_info("socket")
    link.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# No connection: nothing was sent, whatever the call


async def test_a_refused_port_is_unreachable() -> None:
    async with _server(_saying(b"")) as url:
        pass
    _assert_unreachable(await _error(url), "ConnectionRefusedError")


async def test_an_address_that_is_none_is_unreachable() -> None:
    _assert_unreachable(await _error(URL("http://127.1/")), "InvalidUrlClientError")


async def test_a_name_that_does_not_exist_is_unreachable() -> None:
    error = await _error(URL("http://no-such-host.invalid/"), http=Http(connect_limit_s=5))
    _assert_unreachable(error, "gaierror")


@contextmanager
def _full_backlog() -> Iterator[URL]:
    """A port whose queue is full: a connection to it is neither accepted nor refused."""
    with socket() as listening, socket() as first, socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield URL(f"http://127.0.0.1:{listening.getsockname()[1]}/")


async def test_a_connection_that_takes_too_long_is_unreachable() -> None:
    with _full_backlog() as url:
        _assert_unreachable(await _error(url), "ConnectionTimeoutError")


async def test_a_tls_error_is_unreachable() -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 This port speaks no TLS\r\n\r\n")

    async with _server(speak_plainly) as url:
        _assert_unreachable(await _error(url.with_scheme("https")), "SSLError")


async def test_a_tls_handshake_that_hangs_is_unreachable() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with _server(hang) as url:
        _assert_unreachable(await _error(url.with_scheme("https")), "ConnectionTimeoutError")


def _assert_unreachable(error: ProviderError, because: str) -> None:
    assert isinstance(error, Unavailable)
    assert error.code == "unreachable"
    assert because in error.detail


# A connection, but no whole answer: a submit may have been accepted


async def _close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def _close_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(10_000)


async def _reset_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(10_000)
    _reset(writer)


async def _close_after_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)


async def _reset_after_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    _reset(writer)


async def _never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    await asyncio.Event().wait()


async def _never_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


BROKEN = {
    "closed at once": _close_at_once,
    "closed in the body": _close_in_the_body,
    "reset in the body": _reset_in_the_body,
    "closed after the body": _close_after_the_body,
    "reset after the body": _reset_after_the_body,
    "never answered": _never_answer,
    "never read": _never_read,
    "drips for ever": _drip,
    "half a head": _saying(b"HTTP/1.1 200 O"),
    "half a header": _saying(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a body": _saying(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code": 10000'),
    "half a chunk": _saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"),
    "no chunk at all": _saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>"),
    "not gzip": _saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
    "brotli": _saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\n{}\x03;"),
    "zstd": _saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 4\r\n\r\n(/{}"),
    "not HTTP": _saying(b"220 mail.example.org ESMTP\r\n\r\n"),
    "two lengths": _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
    "too large": _saying(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 20_000),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_submit_without_a_whole_answer_is_unknown_and_is_sent_once(how: str) -> None:
    times = 0

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal times
        times += 1
        await BROKEN[how](reader, writer)

    async with _server(counting) as url:
        error = await _error(url, body=BODY)
    assert isinstance(error, OutcomeUnknown)
    assert error.code == "submit_unknown"
    assert times == 1


@pytest.mark.parametrize("how", BROKEN)
async def test_a_poll_without_a_whole_answer_tells_nothing(how: str) -> None:
    async with _server(BROKEN[how]) as url:
        error = await _error(url, Call.POLL, BODY)
    assert isinstance(error, Unavailable)
    assert error.code == "unreachable"


# Answers


async def test_an_answer_is_its_status_and_its_fields() -> None:
    async with _server(_saying(b'HTTP/1.1 500 Oh\r\nContent-Length: 11\r\n\r\n{"code": 1}')) as url:
        assert await _send(url) == Answer(Call.SUBMIT, 500, {"code": 1})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"null", b"\xff\xfe\x00", b"[" * 9_000])
async def test_a_body_that_is_no_json_object_has_no_fields(body: bytes) -> None:
    async with _server(_saying(b"HTTP/1.1 200 OK\r\n\r\n" + body)) as url:
        assert await _send(url) == Answer(Call.SUBMIT, 200, {})


async def test_an_object_in_a_list_is_read_and_other_bodies_are_only_searched() -> None:
    async with _server(_saying(b'HTTP/1.1 200 OK\r\n\r\n[{"id": "7"}]')) as url:
        assert (await _send(url)).fields == {"data": [{"id": "7"}]}
    async with _server(_saying(b"HTTP/1.1 200 OK\r\n\r\ntask_id=7")) as url:
        assert (await _send(url)).text == "task_id=7"


async def test_a_redirect_is_not_followed() -> None:
    async with _server(_saying(b"HTTP/1.1 307 Go\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")) as url:
        assert (await _send(url)).status == 307


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [("12", 12.0), ("999999", 3600.0), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("²", None)],
)
async def test_retry_after_is_read_in_seconds(header: str, pause_s: float | None) -> None:
    raw = f"HTTP/1.1 429 Slow\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()
    async with _server(_saying(raw)) as url:
        answer = await _send(url)
    assert answer.retry_after_s == pause_s
    assert isinstance(unreadable(answer), Unavailable)
    assert unreadable(answer).retry_after_s == pause_s


def test_an_unreadable_answer_proves_nothing() -> None:
    assert isinstance(unreadable(Answer(Call.SUBMIT, 502)), OutcomeUnknown)
    assert isinstance(unreadable(Answer(Call.POLL, 502)), Unavailable)


async def test_headers_and_body_are_sent_as_they_are() -> None:
    seen = asyncio.Queue[bytes]()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.put_nowait(await _read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with _server(note) as url:
        await HASTY.send(Call.SUBMIT, "POST", url, {"Content-Type": "application/json", "Host": "a:1"}, BODY)
    head, _, body = (await seen.get()).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert body == BODY
    assert "Content-Type: application/json" in lines
    assert "Host: a:1" in lines
    assert f"Content-Length: {len(BODY)}" in lines
    assert "Connection: close" in lines
    assert not any(line.startswith(("Cookie", "Transfer-Encoding")) for line in lines)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 "]),
    st.binary(max_size=80) | st.text(alphabet='aZ: \r\n\t;=,0-{}"é', max_size=80).map(str.encode),
)
def test_no_bytes_of_a_server_raise_anything_else(start: bytes, rest: bytes) -> None:
    async def call() -> None:
        async with _server(_saying(start + rest)) as url:
            try:
                await _send(url)
            except OutcomeUnknown as error:
                str(error).encode()

    asyncio.run(call())
