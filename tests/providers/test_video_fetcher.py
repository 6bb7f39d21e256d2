"""Downloads of finished videos: what may be fetched, and what becomes of a broken one."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from provider_server import Fault, ProviderServer, Reply

from bot.errors import FetchError
from bot.providers._fetch import VideoFetcher, is_public

VIDEO = os.urandom(2**20) * 3
TRUSTING = VideoFetcher(frozenset({"127.0.0.1"}))


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer(video=VIDEO) as server:
        yield server


def _link(server: ProviderServer) -> str:
    return f"{server.base_url}/videos/7.mp4?sign=s3cr3t-7"


async def _refusal(fetcher: VideoFetcher, url: str, target: Path) -> FetchError:
    with pytest.raises(FetchError) as refused:
        await fetcher.fetch(url, target)
    assert list(target.parent.iterdir()) == []
    assert "s3cr3t" not in str(refused.value)
    return refused.value


async def test_a_video_arrives_whole(server: ProviderServer, tmp_path: Path) -> None:
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO
    assert list(tmp_path.iterdir()) == [tmp_path / "v.mp4"]


async def test_a_signed_link_is_used_to_the_letter(server: ProviderServer, tmp_path: Path) -> None:
    query = "sign=s3cr3t-7&X-Sig=%7e%2F%3d+a%20b&e="
    await TRUSTING.fetch(f"{server.base_url}/videos/7.mp4?{query}", tmp_path / "v.mp4")
    assert server.received[0].query == query


async def test_a_large_video_costs_little_memory(tmp_path: Path) -> None:
    size = 45_000_000
    piece = bytes(2**20)

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for left in range(size, 0, -len(piece)):
            await response.write(memoryview(piece)[:left])
        return response

    async with _app(stream) as base:
        tracemalloc.start()
        try:
            await TRUSTING.fetch(f"{base}/v", tmp_path / "v.mp4")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (tmp_path / "v.mp4").stat().st_size == size
    assert peak < 8_000_000


# Where a link may lead


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
async def test_a_private_address_is_refused_by_name_and_by_number(
    server: ProviderServer, tmp_path: Path, host: str
) -> None:
    link = _link(server).replace("127.0.0.1", host)
    error = await _refusal(VideoFetcher(), link, tmp_path / "v.mp4")
    assert (error.code, error.again) == ("link_refused", False)
    assert server.received == []


@pytest.mark.parametrize(
    "link", ["", "v.mp4", "ftp://x/v", "file:///etc/passwd", "http://", "http://x:99999/"]
)
async def test_only_http_addresses_are_fetched(tmp_path: Path, link: str) -> None:
    error = await _refusal(TRUSTING, link, tmp_path / "v.mp4")
    assert (error.code, error.again) == ("link_refused", False)


async def test_a_trusted_host_may_be_private_whatever_its_port(
    server: ProviderServer, tmp_path: Path
) -> None:
    link = _link(server).replace("127.0.0.1", "LocalHost")
    await VideoFetcher(frozenset({"localhost"})).fetch(link, tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").exists()


async def test_a_redirect_to_a_private_address_is_refused(server: ProviderServer, tmp_path: Path) -> None:
    """The trust of one host does not reach the next."""
    elsewhere = _link(server).replace("127.0.0.1", "localhost")
    server.next("video", Reply(302, "", {"Location": elsewhere}))
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("link_refused", False)
    assert len(server.received) == 1


async def test_a_redirect_to_another_scheme_is_refused(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Reply(302, "", {"Location": "file:///etc/passwd"}))
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert error.code == "link_refused"


@pytest.mark.parametrize(("redirects", "arrives"), [(5, True), (6, False)])
async def test_five_redirects_are_followed(
    server: ProviderServer, tmp_path: Path, redirects: int, arrives: bool
) -> None:
    server.next("video", *[Reply(307, "", {"Location": "/videos/7.mp4?sign=s3cr3t-7"})] * redirects)
    if arrives:
        await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    else:
        error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
        assert (error.code, error.again) == ("fetch_failed", False)
    assert len(server.received) == 6


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # metadata of most clouds
        ("100.100.100.200", False),  # metadata of Alibaba Cloud
        ("fd00:ec2::254", False),  # metadata of AWS
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
    ],
)
def test_public_addresses_are_told_from_private_ones(address: str, public: bool) -> None:
    assert is_public(address) is public


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_no_private_address_passes_in_ipv6_clothes(inner: object) -> None:
    for form in (f"{inner}", f"::ffff:{inner}", f"::{inner}", f"64:ff9b::{inner}"):
        assert not is_public(form)


# What may go wrong on the way


async def test_a_cut_download_goes_on_where_it_stopped(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Fault.HALF)
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO
    second = server.received[1].headers
    assert second["If-Range"] == '"one"'
    assert 0 < int(second["Range"].removeprefix("bytes=").removesuffix("-")) <= len(VIDEO) // 2


async def test_a_video_that_changed_meanwhile_is_fetched_anew(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Fault.HALF, Reply(200, b"another", {"ETag": '"two"'}))
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == b"another"


async def test_without_a_firm_tag_a_cut_download_starts_again(tmp_path: Path) -> None:
    asked: list[str | None] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        response = web.StreamResponse(headers={"Content-Length": "6", "ETag": 'W/"weak"'})
        await response.prepare(request)
        await response.write(b"abcdef" if len(asked) > 1 else b"ab")
        if len(asked) == 1:
            assert request.transport is not None
            request.transport.close()
        return response

    async with _app(serve) as base:
        await TRUSTING.fetch(f"{base}/v", tmp_path / "v.mp4")
    assert asked == [None, None]
    assert (tmp_path / "v.mp4").read_bytes() == b"abcdef"


async def test_a_download_cut_twice_may_be_tried_later(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Fault.HALF, Fault.HALF)
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)
    assert len(server.received) == 2


async def test_the_wrong_part_is_not_glued_on(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Fault.HALF, Reply(206, VIDEO[:9], {"Content-Range": "bytes 0-8/9"}))
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (401, "link_expired", False),
        (403, "link_expired", False),
        (404, "link_expired", False),
        (410, "link_expired", False),
        (429, "fetch_failed", True),
        (500, "fetch_failed", True),
        (503, "fetch_failed", True),
        (204, "fetch_failed", True),
    ],
)
async def test_a_status_says_whether_the_link_is_dead(
    server: ProviderServer, tmp_path: Path, status: int, code: str, again: bool
) -> None:
    server.next("video", Reply(status, b""))
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == (code, again)


async def test_a_video_that_announces_too_much_is_not_begun(server: ProviderServer, tmp_path: Path) -> None:
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}), max_bytes=len(VIDEO) - 1)
    error = await _refusal(fetcher, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("too_large", False)
    assert "announces" in error.detail


async def test_a_video_that_never_ends_is_stopped_at_the_cap(tmp_path: Path) -> None:
    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async with _app(pour) as base:
        error = await _refusal(
            VideoFetcher(frozenset({"127.0.0.1"}), max_bytes=1_000_000), f"{base}/v", tmp_path / "v.mp4"
        )
    assert (error.code, error.again) == ("too_large", False)


async def test_a_download_has_a_time_limit(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Fault.HANG)
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}), limit_s=0.2)
    error = await _refusal(fetcher, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)


async def test_a_server_that_is_away_may_come_back(tmp_path: Path) -> None:
    async with ProviderServer() as server:
        link = _link(server)
    error = await _refusal(TRUSTING, link, tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)


async def test_a_folder_that_is_missing_is_a_fetch_error(server: ProviderServer, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as failed:
        await TRUSTING.fetch(_link(server), tmp_path / "missing" / "v.mp4")
    assert failed.value.again


async def test_a_cancelled_download_leaves_nothing_behind(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Fault.HANG)
    task = asyncio.create_task(TRUSTING.fetch(_link(server), tmp_path / "v.mp4"))
    await server.wait_for("video")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


@asynccontextmanager
async def _app(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/v", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
