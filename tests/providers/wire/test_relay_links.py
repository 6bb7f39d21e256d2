"""A relay's links: its key goes to its own host alone, and where one link does not work the next one may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, Clock, WorkerHarness, a_task
from provider_server import Reply
from provider_wire import KEY, Wire, adapter

from bot.errors import FetchError
from bot.provider import Succeeded
from bot.request import VideoRequest, settle
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState

FILM = b"a film"
NAMES = ("jimeng_relay", "unified_relay")

every_relay = pytest.mark.parametrize("name", NAMES)


def done(name: str, **links: object) -> Reply:
    record = {"id": "7", "status": "completed", **links}
    return Reply(200, {"code": "success", "data": record} if name == "jimeng_relay" else record)


async def arrive(name: str, relay: Wire, target: Path) -> Succeeded:
    """Poll the job, then fetch what the poll named."""
    provider = adapter(name, relay.base_url)
    status = await provider.poll("7", provider.models[0])
    assert isinstance(status, Succeeded)
    await provider.fetch(status.video_url, target)
    return status


def keys(wire: Wire) -> list[str | None]:
    return [call.headers.get("Authorization") for call in wire.received]


@every_relay
async def test_a_video_on_the_relays_own_host_is_fetched_with_its_key(name: str, tmp_path: Path) -> None:
    async with Wire() as relay:
        link = f"{relay.base_url}/v1/videos/7/content"
        relay.replies += [done(name, result_url=link), Reply(200, FILM)]
        status = await arrive(name, relay, tmp_path / "film")
    assert status.video_url == link
    assert keys(relay) == [f"Bearer {KEY}"] * 2
    assert (tmp_path / "film").read_bytes() == FILM


@every_relay
async def test_no_other_host_is_sent_the_key(name: str, tmp_path: Path) -> None:
    """Another port is another host; and the one that the relay's own link leads to is another too."""
    async with Wire() as relay, Wire() as store:
        elsewhere = f"{store.base_url}/7.mp4"
        relay.replies += [done(name, video_url=elsewhere)]
        store.replies += [Reply(200, FILM), Reply(200, FILM)]
        await arrive(name, relay, tmp_path / "one")
        own = f"{relay.base_url}/v1/videos/7/content"
        relay.replies += [done(name, video_url=own), Reply(302, "", {"Location": elsewhere})]
        await arrive(name, relay, tmp_path / "two")
    assert keys(store) == [None, None]
    assert (tmp_path / "two").read_bytes() == FILM


@every_relay
async def test_the_link_that_needs_no_key_comes_first(name: str, tmp_path: Path) -> None:
    async with Wire() as relay, Wire(Reply(200, FILM)) as store:
        true = f"{store.base_url}/7.mp4"
        relay.replies += [done(name, result_url=f"{relay.base_url}/files/7", data={"video_url": true})]
        status = await arrive(name, relay, tmp_path / "film")
    assert status.video_url == true
    assert len(relay.received) == 1


@every_relay
@pytest.mark.parametrize("refusal", [401, 403, 404, 500])
async def test_where_one_link_does_not_work_the_next_is_fetched(
    name: str, refusal: int, tmp_path: Path
) -> None:
    async with Wire() as relay, Wire(Reply(refusal, "no")) as store:
        relay.replies += [
            done(name, video_url=f"{store.base_url}/7.mp4", result_url=f"{relay.base_url}/files/7"),
            Reply(200, FILM),
        ]
        await arrive(name, relay, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == FILM


@every_relay
async def test_a_link_that_leads_to_a_page_is_followed_by_the_next(name: str, tmp_path: Path) -> None:
    async with Wire() as relay, Wire(Reply(200, "\n<html>log in</html>")) as store:
        relay.replies += [
            done(name, video_url=f"{store.base_url}/7.mp4", result_url=f"{relay.base_url}/files/7"),
            Reply(200, FILM),
        ]
        await arrive(name, relay, tmp_path / "film")
        assert (tmp_path / "film").read_bytes() == FILM
        # The last one is left to whoever reads it.
        relay.replies += [done(name, result_url=f"{relay.base_url}/files/8"), Reply(200, {"error": "later"})]
        await arrive(name, relay, tmp_path / "page")
    assert (tmp_path / "page").read_bytes().startswith(b"{")


@every_relay
async def test_a_path_leads_to_the_host_that_named_it(name: str, tmp_path: Path) -> None:
    async with Wire() as relay:
        relay.replies += [done(name, video_url="/v1/videos/7/content?a=1"), Reply(200, FILM)]
        status = await arrive(name, relay, tmp_path / "film")
        assert status.video_url == f"{relay.base_url}/v1/videos/7/content?a=1"
        assert keys(relay)[-1] == f"Bearer {KEY}"
        relay.replies += [done(name, video_url="/7.mp4", url=f"{relay.base_url}/8.mp4"), Reply(200, FILM)]
        assert (await arrive(name, relay, tmp_path / "other")).video_url.endswith("/8.mp4")


@every_relay
async def test_where_no_link_works_the_one_that_may_work_later_is_told(name: str, tmp_path: Path) -> None:
    async with Wire() as relay, Wire(Reply(403, "no")) as store:
        links: dict[str, Any] = {
            "video_url": f"{store.base_url}/7.mp4",
            "result_url": f"{relay.base_url}/files/7",
        }
        relay.replies += [done(name, **links), Reply(503, "later")]
        with pytest.raises(FetchError) as failed:
            await arrive(name, relay, tmp_path / "film")
    assert (failed.value.code, failed.value.again) == ("fetch_failed", True)
    assert KEY not in f"{failed.value!r} {failed.value.detail}"


@every_relay
@pytest.mark.parametrize(("reason", "orders"), [("rate limit exceeded", 1), ("code 50430", 3)])
async def test_what_a_relay_accepted_is_ordered_again_only_where_that_is_proved_free(
    name: str, reason: str, orders: int, store: SQLiteStore, clock: Clock, tmp_path: Path
) -> None:
    taken = Reply(200, {"code": "success", "data": {"task_id": "job-7"}})
    record = {"task_id": "job-7", "status": "FAILURE", "fail_reason": reason}
    ended = Reply(200, {"code": "success", "data": record})
    async with Wire(*[taken, ended] * 5) as relay:
        provider: Any = adapter(name, relay.base_url)
        model = provider.models[0]
        request = settle(VideoRequest(model=model.name, prompt="a paper boat"), model)
        await store.tasks.add(a_task(request=request, provider=name, due_at=NOW))
        task = await WorkerHarness(store, [provider], clock, tmp_path).close_task()
        calls = [call.kind for call in relay.received]
    assert (task.state, task.error_code) == (TaskState.FAILED, "busy")
    assert calls == ["submit", "poll"] * orders
