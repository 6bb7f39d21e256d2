"""What every adapter must do: each sentence of `bot/provider.py`, for each of the six systems."""

from __future__ import annotations

import json
import traceback
from collections.abc import Awaitable
from typing import Any

import pytest
from provider_server import Reply
from provider_wire import KEY, NAMES, Adapter, Wire, adapter, refused_port

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.request import Mode, VideoModel, VideoRequest, check_request, resolutions_for, settle
from bot.text import LANGUAGES, phrases

VIDEO = "https://videos.example/a.mp4?sign=1"
PROMPT = "a secret prompt about a paper boat"
# One documented answer of each kind for each system.
ACCEPTED: dict[str, Any] = {
    "volcengine": {"code": 10000, "data": {"task_id": "7392616336519610409"}, "message": "Success"},
    "geekai": {"model": "jimeng_t2v_v30", "task_id": "f5d1", "task_status": "running"},
    "jimeng_relay": {"code": "success", "message": "", "data": "4596183399426"},
    "unified_relay": {"id": "veo3.1-components:1762241017-xTL", "status": "pending"},
    "jiekou": {"task_id": "a1b2"},
    "ark": {"id": "cgt-20261120100000-ab001"},
}
IDS = {
    "volcengine": "7392616336519610409",
    "geekai": "f5d1",
    "jimeng_relay": "4596183399426",
    "unified_relay": "veo3.1-components:1762241017-xTL",
    "jiekou": "a1b2",
    "ark": "cgt-20261120100000-ab001",
}
RUNNING: dict[str, Any] = {
    "volcengine": {"code": 10000, "data": {"status": "generating"}, "message": "Success"},
    "geekai": {"task_id": "f5d1", "task_status": "running", "progress": 40},
    "jimeng_relay": {"code": "success", "data": {"status": "IN_PROGRESS", "progress": "40%"}},
    "unified_relay": {"id": "1762241017-xTL", "status": "processing", "progress": "40"},
    "jiekou": {"task": {"status": "TASK_STATUS_PROCESSING", "progress_percent": 40}},
    "ark": {"id": "cgt-20261120100000-ab001", "status": "running"},
}
DONE: dict[str, Any] = {
    "volcengine": {"code": 10000, "data": {"status": "done", "video_url": VIDEO}, "message": "Success"},
    "geekai": {"task_id": "f5d1", "task_status": "succeed", "video_result": [{"url": VIDEO}]},
    "jimeng_relay": {"code": "success", "data": {"status": "SUCCESS", "data": {"video": VIDEO}}},
    "unified_relay": {"id": "1762241017-xTL", "status": "completed", "video_url": VIDEO},
    "jiekou": {"task": {"status": "TASK_STATUS_SUCCEED"}, "videos": [{"video_url": VIDEO}]},
    "ark": {"id": "cgt-20261120100000-ab001", "status": "succeeded", "content": {"video_url": VIDEO}},
}
UNKNOWN: dict[str, list[Reply]] = {
    "volcengine": [Reply(200, {"code": 10000, "data": {"status": "not_found"}})],
    "geekai": [Reply(404, {"error": {"message": "no such task"}})] * 2,
    "jimeng_relay": [Reply(400, {"code": "task_not_exist", "message": "", "data": None})],
    "unified_relay": [Reply(400, {"code": "task_not_exist", "message": "", "data": None})],
    "ark": [Reply(404, {"error": {"code": "NotFound", "message": "The specified task is not found."}})],
    "jiekou": [Reply(404, {"code": 404, "reason": "NOT_FOUND", "message": "task not found"})],
}
KEY_REFUSED: dict[str, Reply] = {
    "volcengine": Reply(
        401, {"ResponseMetadata": {"Error": {"CodeN": 100009, "Code": "InvalidAccessKey", "Message": KEY}}}
    ),
    "geekai": Reply(401, {"error": {"code": "401", "message": f"bad key {KEY}"}}),
    "jimeng_relay": Reply(401, {"error": {"message": f"invalid token {KEY}", "type": "new_api_error"}}),
    "unified_relay": Reply(401, {"error": {"message": f"invalid token {KEY}", "type": "new_api_error"}}),
    "ark": Reply(401, {"error": {"code": "AuthenticationError", "message": f"{KEY} is invalid"}}),
    "jiekou": Reply(401, {"code": 401, "reason": "FAILED_TO_AUTH", "message": KEY}),
}
# What is no answer of any of them.
TORN = (
    Reply(502, "<html><h1>502 Bad Gateway</h1></html>"),
    Reply(200, ""),
    Reply(200, b'{"code": 10000, "data": {"task_'),
    Reply(200, "[1, 2]"),
    Reply(200, b"\xff\xfe\x00"),
    Reply(200, b'{"x": "' + b"a" * 10_000_000 + b'"}'),
    Reply(302, "", {"Location": "/elsewhere"}),
    None,
)
TORN_NAMES = ["a page", "empty", "half", "a list", "no text", "10 MB", "a redirect", "cut"]

every_adapter = pytest.mark.parametrize("name", NAMES)


def first_model(provider: Adapter) -> VideoModel:
    return next(model for model in provider.models if Mode.TEXT in model.modes)


def wish(model: VideoModel, mode: Mode = Mode.TEXT, **options: Any) -> VideoRequest:
    """A settled request for this mode."""
    counts = {Mode.TEXT: 0, Mode.FIRST_LAST: 2, Mode.REFERENCES: model.references}
    asked = VideoRequest(
        model=model.name,
        prompt=PROMPT,
        photos=tuple(f"file-{number}" for number in range(counts.get(mode, 1))),
        photos_as="references" if mode is Mode.REFERENCES else "frames",
        camera="robo_arm" if mode is Mode.CAMERA else None,
        **options,
    )
    assert check_request(asked, model) == []
    return settle(asked, model)


def photos_for(request: VideoRequest, model: VideoModel) -> list[Photo]:
    link = PhotoLink("https://bot.example/photo.jpg", 900, 1600)
    return [b"\xff\xd8 a photo" if model.photo_as == "bytes" else link for _ in request.photos]


async def submit(provider: Adapter) -> Accepted:
    model = first_model(provider)
    return await provider.submit(wish(model), [], "task-1")


async def poll(provider: Adapter) -> object:
    model = first_model(provider)
    return await provider.poll(IDS[provider.name], model)


async def error_of(call: Awaitable[object]) -> ProviderError:
    """How the call ended; neither the key nor the prompt shows in it."""
    with pytest.raises(ProviderError) as raised:
        await call
    shown = f"{traceback.format_exception(raised.value)} {raised.value!r} {raised.value.detail}"
    assert KEY not in shown
    assert PROMPT not in shown
    return raised.value


@every_adapter
async def test_it_is_a_provider_with_models_of_its_own(name: str) -> None:
    provider: Provider = adapter(name, "http://127.0.0.1:9", concurrency=3)
    assert provider.name == name
    assert provider.concurrency == 3
    assert provider.models
    for model in provider.models:
        assert model.provider == name
        assert model.company
        assert model.seconds
        assert model.typical_s > 0
        assert not model.free


def test_no_two_models_share_a_name() -> None:
    models = [model.name for name in NAMES for model in adapter(name, "http://127.0.0.1:9").models]
    assert len(models) == len(set(models))
    assert {"jimeng-pro", "jimeng-720p", "jimeng-1080p", "geekai-jimeng", "relay-jimeng"} < set(models)
    assert {"veo-3", "veo-3.1", "veo-3.1-fast", "unified-jimeng"} < set(models)
    assert {"ark-seedance-2.5", "ark-seedance-2.0", "ark-seedance-2.0-fast"} < set(models)


@every_adapter
async def test_an_accepted_job_gives_its_id(name: str) -> None:
    async with Wire(Reply(200, ACCEPTED[name])) as wire:
        accepted = await submit(adapter(name, wire.base_url))
    assert accepted.remote_id.endswith(IDS[name])
    assert isinstance(accepted.status, StillRunning)


@every_adapter
async def test_the_key_travels_in_a_header_alone(name: str) -> None:
    async with Wire(Reply(200, ACCEPTED[name]), Reply(200, RUNNING[name])) as wire:
        provider = adapter(name, wire.base_url)
        await submit(provider)
        await poll(provider)
    for call in wire.received:
        assert KEY not in f"{call.path}{call.query}"
        assert KEY.encode() not in call.body
        assert call.headers["Authorization"]
        if name != "volcengine":
            assert call.headers["Authorization"] == f"Bearer {KEY}"


@every_adapter
async def test_every_mode_at_every_resolution_can_be_submitted(name: str) -> None:
    async with Wire() as wire:
        provider = adapter(name, wire.base_url)
        for model in provider.models:
            for mode in model.modes:
                for resolution in resolutions_for(mode, model) or (None,):
                    wire.replies.append(Reply(200, ACCEPTED[name]))
                    request = wish(model, mode, resolution=resolution)
                    accepted = await provider.submit(request, photos_for(request, model), "task-1")
                    wire.replies.append(Reply(200, RUNNING[name]))
                    assert isinstance(await provider.poll(accepted.remote_id, model), StillRunning)
        sent = [call for call in wire.received if call.kind == "submit"]
    assert len({(call.path, call.body) for call in sent}) == len(sent)
    assert all(PROMPT in json.dumps(json.loads(call.body)) for call in sent)
    assert all(call.method == "POST" for call in sent)
    assert all(call.headers["Content-Type"] == "application/json" for call in sent)


@every_adapter
async def test_a_job_on_its_way_still_runs(name: str) -> None:
    async with Wire(Reply(200, RUNNING[name])) as wire:
        status = await poll(adapter(name, wire.base_url))
    assert isinstance(status, StillRunning)
    assert status.progress == (None if name in {"volcengine", "ark"} else 0.4)


@every_adapter
async def test_a_finished_job_gives_its_video(name: str) -> None:
    async with Wire(Reply(200, DONE[name])) as wire:
        status = await poll(adapter(name, wire.base_url))
    assert isinstance(status, Succeeded)
    assert status.video_url == VIDEO
    assert status.keeps_s > 0


@every_adapter
async def test_a_job_that_nobody_knows_is_not_found(name: str) -> None:
    async with Wire(*UNKNOWN[name]) as wire:
        status = await poll(adapter(name, wire.base_url))
    assert isinstance(status, Failed)
    assert status.code == "not_found"


@every_adapter
@pytest.mark.parametrize("reply", TORN, ids=TORN_NAMES)
async def test_what_proves_nothing_may_have_been_bought(name: str, reply: Reply | None) -> None:
    async with Wire(reply, Reply(200, ACCEPTED[name])) as wire:
        error = await error_of(submit(adapter(name, wire.base_url)))
    assert isinstance(error, OutcomeUnknown)
    assert error.code == "submit_unknown"
    assert len(wire.received) == 1, "a submit is never repeated"


@every_adapter
@pytest.mark.parametrize("reply", TORN, ids=TORN_NAMES)
async def test_a_poll_that_tells_nothing_ends_nothing(name: str, reply: Reply | None) -> None:
    async with Wire(reply, reply) as wire:
        error = await error_of(poll(adapter(name, wire.base_url)))
    assert isinstance(error, Unavailable)


@every_adapter
@pytest.mark.parametrize("call", [submit, poll])
async def test_no_connection_proves_that_nothing_was_bought(name: str, call: Any) -> None:
    error = await error_of(call(adapter(name, await refused_port())))
    assert isinstance(error, Unavailable)
    assert error.code == "unreachable"


@every_adapter
@pytest.mark.parametrize("call", [submit, poll])
@pytest.mark.parametrize("body", ["<html>slow down</html>", {"error": {"message": "rate limit"}}, {}])
async def test_too_many_requests_means_later(name: str, call: Any, body: object) -> None:
    async with Wire(Reply(429, body, {"Retry-After": "7"})) as wire:
        error = await error_of(call(adapter(name, wire.base_url)))
    assert isinstance(error, Unavailable)
    assert error.retry_after_s == 7


@every_adapter
@pytest.mark.parametrize("call", [submit, poll])
async def test_a_refused_key_is_the_operators_trouble(name: str, call: Any) -> None:
    async with Wire(KEY_REFUSED[name]) as wire:
        error = await error_of(call(adapter(name, wire.base_url)))
    assert isinstance(error, AccountProblem)
    assert (error.code, error.trouble) == ("account", "key_refused")


@every_adapter
@pytest.mark.parametrize("language", LANGUAGES)
async def test_its_words_have_a_phrase(name: str, language: str) -> None:
    async with Wire(*UNKNOWN[name]) as wire:
        status = await poll(adapter(name, wire.base_url))
    assert isinstance(status, Failed)
    assert status.code in phrases(language)
