"""Downloads of finished videos: what may be fetched, and what becomes of a broken one."""

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from media_samples import Clip
from provider_server import Fault, ProviderServer, Reply

from bot.errors import FetchError
from bot.providers.wire.addresses import SPECIAL_V4, SPECIAL_V6, is_public
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.links import read_link

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


async def test_a_disk_that_is_full_is_nobody_elses_fault(server: ProviderServer, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(VIDEO) // 2, hard))
    try:
        error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (error.code, error.again, len(server.received)) == ("disk_full", True, 1)


async def test_a_disk_that_is_read_only_is_nobody_elses_fault(server: ProviderServer) -> None:
    with pytest.raises(FetchError) as refused:
        await TRUSTING.fetch(_link(server), Path("/sys/kernel/v.mp4"))
    assert (refused.value.code, refused.value.again) == ("disk_full", True)


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


@pytest.mark.parametrize(
    ("host", "is_open"),
    [
        ("198.18.0.5", True),
        ("198.19.255.1", True),
        ("[fc00::7]", True),
        ("10.0.0.1", False),
        ("[fd00::7]", False),
    ],
)
async def test_a_fake_address_is_refused_and_says_nothing_of_the_link(
    host: str, is_open: bool, tmp_path: Path
) -> None:
    error = await _refusal(VideoFetcher(), f"http://{host}/v.mp4", tmp_path / "v.mp4")
    assert (error.code, error.again) == ("link_refused", is_open)
    assert error.fake_host == (host.strip("[]") if is_open else "")
    assert "TRUSTED_PRIVATE_HOSTS" in error.detail


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


@pytest.mark.parametrize("network", [*SPECIAL_V4, *SPECIAL_V6], ids=str)
def test_no_address_of_a_special_network_is_public(network: IPv4Network | IPv6Network) -> None:
    assert not is_public(str(network[0]))
    assert not is_public(str(network[-1]))


@pytest.mark.parametrize(
    "address",
    [
        *("192.0.0.9", "192.0.0.170", "192.88.99.1", "192.88.99.2", "198.18.0.7", "198.19.255.255"),
        *("192.0.2.1", "198.51.100.1", "203.0.113.9", "100.64.0.1", "2001:20::1", "2001:1::1"),
        *("3fff::1", "3fff:fff::1", "5f00::1", "100::1", "64:ff9b::c612:7", "2002:c612:7::"),
    ],
)
def test_special_networks_are_refused_whatever_the_version_of_python(address: str) -> None:
    assert not is_public(address)


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


async def test_a_download_that_is_cut_again_and_again_goes_on_while_more_arrives(
    server: ProviderServer, tmp_path: Path
) -> None:
    server.next("video", *[Fault.HALF] * 8)
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO
    assert len(server.received) == 9


async def test_a_download_cut_twice_in_vain_may_be_tried_later(tmp_path: Path) -> None:
    asked: list[str | None] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        response = web.StreamResponse(headers={"Content-Length": "9", "ETag": '"one"'})
        await response.prepare(request)
        await response.write(b"abc")
        assert request.transport is not None
        request.transport.close()
        return response

    async with _app(serve) as base:
        error = await _refusal(TRUSTING, f"{base}/v", tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)
    assert asked == [None, "bytes=3-", "bytes=3-"]


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


async def test_a_slow_download_may_take_longer_than_the_limit_while_it_goes_on(tmp_path: Path) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(VIDEO))})
        await response.prepare(request)
        for start in range(0, len(VIDEO), 2**18):
            await response.write(VIDEO[start : start + 2**18])
            await asyncio.sleep(0.06)
        return response

    async with _app(drip) as base:
        fetcher = VideoFetcher(frozenset({"127.0.0.1"}), limit_s=0.4)
        await fetcher.fetch(f"{base}/v", tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO


async def test_a_download_that_stands_still_is_broken_however_much_time_is_left(tmp_path: Path) -> None:
    async def stop(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(VIDEO))})
        await response.prepare(request)
        await response.write(VIDEO[: 2**18])
        await asyncio.Event().wait()
        return response

    async with _app(stop) as base:
        fetcher = VideoFetcher(frozenset({"127.0.0.1"}), stall_s=0.1)
        error = await _refusal(fetcher, f"{base}/v", tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)


async def test_a_whole_file_that_is_called_its_rest_is_not_glued_on(tmp_path: Path) -> None:
    asked: list[str | None] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        if start := (asked[-1] or "").removeprefix("bytes=").removesuffix("-"):
            headers = {"Content-Range": f"bytes {start}-5/6", "ETag": '"one"'}
            return web.Response(status=206, body=b"abcdef", headers=headers)
        response = web.StreamResponse(headers={"Content-Length": "6", "ETag": '"one"'})
        await response.prepare(request)
        await response.write(b"abcdef" if len(asked) > 1 else b"abc")
        if len(asked) == 1:
            assert request.transport is not None
            request.transport.close()
        return response

    async with _app(serve) as base:
        await TRUSTING.fetch(f"{base}/v", tmp_path / "v.mp4")
    assert asked == [None, "bytes=3-", None]
    assert (tmp_path / "v.mp4").read_bytes() == b"abcdef"


async def test_a_rest_of_another_file_is_not_glued_on(server: ProviderServer, tmp_path: Path) -> None:
    half = len(VIDEO) // 2
    headers = {"Content-Range": f"bytes {half}-{len(VIDEO) - 1}/{len(VIDEO)}", "ETag": '"two"'}
    server.next("video", Fault.HALF, Reply(206, bytes(len(VIDEO) - half), headers))
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {}, {"Content-Type": "text/html"}])
async def test_a_body_that_was_packed_on_its_way_is_unpacked(
    server: ProviderServer, tmp_path: Path, headers: dict[str, str]
) -> None:
    server.next("video", Reply(200, gzip.compress(VIDEO, 1), headers))
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO


@pytest.mark.parametrize("packing", ["br", "ZSTD", "deflate"])
async def test_a_body_in_a_packing_that_nobody_asked_for_is_asked_for_again(
    server: ProviderServer, tmp_path: Path, packing: str
) -> None:
    server.next("video", Reply(200, b"\x0b\x02\x80 packed \x03", {"Content-Encoding": packing}))
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == VIDEO


async def test_a_body_that_is_only_called_packed_is_taken_as_it_is(
    server: ProviderServer, tmp_path: Path
) -> None:
    film = Clip().write(tmp_path / "film.mp4").read_bytes()
    server.next("video", Reply(200, film, {"Content-Encoding": "br"}))
    await TRUSTING.fetch(_link(server), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == film


async def test_a_packed_body_is_bounded_by_what_it_unpacks_to(server: ProviderServer, tmp_path: Path) -> None:
    server.next("video", Reply(200, gzip.compress(bytes(5_000_000))))
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}), max_bytes=1_000_000)
    assert (await _refusal(fetcher, _link(server), tmp_path / "v.mp4")).code == "too_large"


async def test_a_whole_film_whose_length_was_announced_wrongly_arrives(tmp_path: Path) -> None:
    film = Clip().write(tmp_path / "film.mp4").read_bytes()

    async def lie(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(film) + 100)})
        await response.prepare(request)
        await response.write(film)
        assert request.transport is not None
        request.transport.close()
        return response

    async with _app(lie) as base:
        await TRUSTING.fetch(f"{base}/v", tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == film


@pytest.mark.parametrize("reply", [Reply(302), Reply(200), Reply(302, b"", {"Location": " "})])
async def test_an_answer_of_nothing_may_be_another_one_later(
    server: ProviderServer, tmp_path: Path, reply: Reply
) -> None:
    server.next("video", reply)
    error = await _refusal(TRUSTING, _link(server), tmp_path / "v.mp4")
    assert (error.code, error.again) == ("fetch_failed", True)


@pytest.mark.parametrize(
    "link",
    [
        "  https://cdn.example/v?a=1&b=2\n",
        "https://cdn.example/v?a=1&amp;b=2",
        "https://cdn.example/v?a=1&amp;amp;b=2",
        "https://cdn.example/v?a=1&#38;b=2",
        "//cdn.example/v?a=1&b=2",
        "cdn.example/v?a=1&b=2",
        '"https://cdn.example/v?a=1&b=2"',
        "<https://cdn.example/v?a=1&b=2>",
        "https:\\/\\/cdn.example\\/v?a=1\\u0026b=2",
        "https://cdn.exam\n  ple/v?a=1&b=2".replace("  ", ""),
        "\ufeffHTTPS://cdn.example/v?a=1&b=2\u200b",
    ],
)
def test_what_is_done_to_a_link_on_its_way_is_undone(link: str) -> None:
    assert str(read_link(link)).lower() == "https://cdn.example/v?a=1&b=2"


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
