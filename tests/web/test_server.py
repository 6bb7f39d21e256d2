"""The web server, over real HTTP: whether the bot is well, and photos for holders of a link."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest
from fakes import NOW, Clock, Script, health
from yarl import URL

from bot.errors import CallUnclear, ChatBusy, ChatGone, MediaError, SettingsError, StoreError
from bot.media.media_info import FitPhoto
from bot.photo_links import PhotoLinks
from bot.web import WebServer
from bot.web.photos import SharedPhotos

JPEG = FitPhoto(b"\xff\xd8 the bytes of a photo", 640, 480, "image/jpeg")
PNG = FitPhoto(b"\x89PNG the bytes of another", 640, 480, "image/png")
LATER = NOW + timedelta(hours=12)
METHODS = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"]


@dataclass
class Site:
    """A server, and what it asks its bot for."""

    links: PhotoLinks
    clock: Clock
    server: WebServer = field(init=False)
    opened: list[tuple[str, int]] = field(default_factory=list)
    photos: Script = field(default_factory=lambda: Script(JPEG))
    is_well: bool = True

    def __post_init__(self) -> None:
        self.server = WebServer(
            "127.0.0.1",
            0,
            health=health(lambda: self.is_well),
            open_photo=self.open_photo,
            links=self.links,
            clock=self.clock,
        )

    def path(self, index: int = 0, content_type: str = "image/jpeg", task_id: str = "c0ffee") -> str:
        return urlsplit(self.links.make(task_id, index, content_type, LATER)).path

    async def open_photo(self, task_id: str, index: int) -> FitPhoto | None:
        self.opened.append((task_id, index))
        photo: FitPhoto | None = await self.photos.next()
        return photo

    async def ask(self, path: str, method: str = "GET") -> tuple[aiohttp.ClientResponse, bytes]:
        async with aiohttp.ClientSession() as session:
            address = URL(f"http://127.0.0.1:{self.server.port}{path}", encoded=True)
            async with session.request(method, address, allow_redirects=False) as response:
                return response, await response.read()

    async def raw(self, request_line: str) -> str:
        """The head of the answer to a request that no ordinary client sends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(f"{request_line}\r\nHost: bot.example.org\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(10):
            answer = (await reader.read()).decode()
        writer.close()
        return answer


@asynccontextmanager
async def site_at(public_url: str, clock: Clock) -> AsyncIterator[Site]:
    site = Site(PhotoLinks(public_url, "a secret of this bot"), clock)
    await site.server.start()
    try:
        yield site
    finally:
        await site.server.close()


@pytest.fixture
async def site(clock: Clock) -> AsyncIterator[Site]:
    async with site_at("https://bot.example.org", clock) as made:
        yield made


async def test_the_health_is_told(site: Site) -> None:
    response, body = await site.ask("/healthz")
    assert (response.status, body) == (200, b'{"status": "ok"}')
    site.is_well = False
    response, body = await site.ask("/healthz")
    assert (response.status, body) == (503, b'{"status": "unwell"}')


@pytest.mark.parametrize("photo", [JPEG, PNG])
async def test_a_link_gives_the_photo_with_its_kind_and_its_length(site: Site, photo: FitPhoto) -> None:
    site.photos = Script(photo)
    response, body = await site.ask(site.path(1, photo.content_type))
    assert (response.status, body) == (200, photo.data)
    assert response.headers["Content-Type"] == photo.content_type
    assert response.headers["Content-Length"] == str(len(photo.data))
    assert site.opened == [("c0ffee", 1)]


async def test_the_head_of_a_photo_is_that_of_the_photo(site: Site) -> None:
    response, body = await site.ask(site.path(), "HEAD")
    assert (response.status, body) == (200, b"")
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Content-Length"] == str(len(JPEG.data))


@pytest.mark.parametrize("path", ["/healthz", "photo", "/photos/forged", "/nothing/here"])
async def test_no_answer_is_kept_searched_or_guessed_at(site: Site, path: str) -> None:
    response, _ = await site.ask(site.path() if path == "photo" else path)
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "ython" not in response.headers["Server"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/healthz", "photo", "/photos/forged"])
async def test_only_get_and_head_are_taken(site: Site, method: str, path: str) -> None:
    response, body = await site.ask(site.path() if path == "photo" else path, method)
    assert response.status == 405
    assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD"}
    assert JPEG.data not in body
    assert site.opened == []


async def test_a_forged_link_and_an_expired_one_look_alike(site: Site, clock: Clock) -> None:
    path = site.path()
    forged, forged_body = await site.ask(path.replace("/0/", "/1/"))
    clock.now = LATER
    expired, expired_body = await site.ask(path)
    assert forged.status == expired.status == 404
    assert forged_body == expired_body
    assert {name: forged.headers[name] for name in forged.headers if name != "Date"} == {
        name: expired.headers[name] for name in expired.headers if name != "Date"
    }
    assert site.opened == []


async def test_a_path_that_is_nearly_right_is_not_found_and_never_redirected(site: Site) -> None:
    photo = site.path()
    lines = ["/healthz/", "//healthz", "/./healthz", f"{photo}/", f"/{photo}", photo.replace("/0/", "//0/")]
    for path in [*lines, "/", "/photos", "/photos/", f"http://other.example//{photo}", "/photos/../healthz"]:
        answer = await site.raw(f"GET {path} HTTP/1.1")
        assert answer.startswith("HTTP/1.1 404 "), (path, answer)
        assert "location" not in answer.lower()
    assert site.opened == []


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [(ChatBusy(6.2), "7"), (CallUnclear("TimedOut"), "5"), (StoreError("full"), "5")],
)
async def test_while_telegram_does_not_answer_a_fetcher_is_told_to_come_back_and_then_gets_the_photo(
    site: Site, error: Exception, retry_after: str
) -> None:
    site.photos = Script(error, JPEG)
    response, body = await site.ask(site.path())
    assert (response.status, response.headers["Retry-After"]) == (503, retry_after)
    assert str(error).encode() not in body
    response, body = await site.ask(site.path())
    assert (response.status, body) == (200, JPEG.data)


@pytest.mark.parametrize("gone", [MediaError("photo_gone", "file_id of Telegram"), ChatGone("kicked"), None])
async def test_a_photo_that_is_gone_is_not_found(site: Site, gone: Exception | None) -> None:
    site.photos = Script(gone)
    response, body = await site.ask(site.path())
    assert (response.status, body) == (404, b"404: Not Found")


async def test_a_photo_is_opened_once_for_all_who_ask_for_it_at_once(site: Site) -> None:
    gate = asyncio.Event()
    site.photos = Script(_after(gate, JPEG))
    asked = [asyncio.create_task(site.ask(site.path(), method)) for method in ["HEAD", *["GET"] * 19]]
    await _until(lambda: len(site.opened) == 1)
    gate.set()
    answers = await asyncio.gather(*asked)
    assert [response.status for response, _ in answers] == [200] * 20
    assert [body for _, body in answers[1:]] == [JPEG.data] * 19
    await site.ask(site.path())
    assert site.opened == [("c0ffee", 0)]


async def test_few_photos_are_opened_at_once_and_the_others_wait(site: Site) -> None:
    gate = asyncio.Event()
    site.photos = Script(_after(gate, JPEG))
    asked = [asyncio.create_task(site.ask(site.path(task_id=f"task{number}"))) for number in range(6)]
    await _until(lambda: len(site.opened) == 2)
    # A photo that is not there would be opened by now, were there no limit.
    assert (await site.ask("/healthz"))[0].status == 200
    assert len(site.opened) == 2
    gate.set()
    assert [response.status for response, _ in await asyncio.gather(*asked)] == [200] * 6
    assert len(site.opened) == 6


async def test_one_who_hangs_up_does_not_take_the_photo_away_from_the_others(site: Site) -> None:
    gate = asyncio.Event()
    site.photos = Script(_after(gate, JPEG))
    photos = SharedPhotos(site.open_photo)
    first, second = (asyncio.create_task(photos.get("c0ffee", 0)) for _ in range(2))
    await _until(lambda: len(site.opened) == 1)
    first.cancel()
    await asyncio.wait([first])
    gate.set()
    assert await second == JPEG
    assert len(site.opened) == 1
    await photos.close()


@pytest.mark.parametrize("public_url", ["https://example.org/bot", "https://example.org/a/b/"])
async def test_below_a_path_the_proxy_may_keep_it_or_take_it_away(public_url: str, clock: Clock) -> None:
    async with site_at(public_url, clock) as site:
        prefix = urlsplit(public_url).path.rstrip("/")
        kept = site.path()
        assert kept.startswith(f"{prefix}/photos/")
        for path in (kept, kept.removeprefix(prefix), "/healthz", f"{prefix}/healthz"):
            assert (await site.ask(path))[0].status == 200, path
        assert (await site.ask(f"/other{kept.removeprefix(prefix)}"))[0].status == 404


async def test_readiness_is_told_beside_the_health(site: Site) -> None:
    assert (await site.ask("/readyz"))[0].status == 200
    site.is_well = False
    response, body = await site.ask("/readyz")
    assert response.status == 503
    assert json.loads(body) == {"status": "not ready", "reasons": ["it is unwell"]}


async def test_without_a_public_address_there_is_the_health_alone(clock: Clock) -> None:
    site = Site(PhotoLinks("https://bot.example.org", "a secret"), clock)
    site.server = WebServer("127.0.0.1", 0, health=health(), open_photo=None, links=None, clock=clock)
    await site.server.start()
    assert (await site.ask("/healthz"))[0].status == 200
    assert (await site.ask(site.path()))[0].status == 404
    await site.server.close()


async def test_the_end_does_not_wait_for_a_photo_that_is_being_opened(clock: Clock) -> None:
    async with site_at("https://bot.example.org", clock) as site:
        site.photos = Script(_after(asyncio.Event(), JPEG))
        asked = asyncio.create_task(site.ask(site.path()))
        await _until(lambda: len(site.opened) == 1)
        async with asyncio.timeout(10):
            await site.server.close()
        with pytest.raises(aiohttp.ClientError):
            await asked


async def test_a_port_that_is_taken_is_one_sentence(site: Site, clock: Clock) -> None:
    port = site.server.port
    second = WebServer("127.0.0.1", port, health=health(), open_photo=None, links=None, clock=clock)
    with pytest.raises(
        SettingsError, match=f"LISTEN_PORT {port} on 127.0.0.1 cannot be used: Address already in use"
    ):
        await second.start()
    await second.close()


def _after(gate: asyncio.Event, photo: FitPhoto) -> Callable[[], Awaitable[FitPhoto]]:
    async def wait() -> FitPhoto:
        await gate.wait()
        return photo

    return wait


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)
