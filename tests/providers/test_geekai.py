"""The GeekAI adapter over HTTP: every recorded example, what is sent, and which path is asked."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from provider_server import ProviderServer, Reply, make_mp4
from pydantic import SecretStr
from recorded_examples import check_call, outcome_of, read_cases, reply_of

from bot.errors import AccountProblem, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers.geekai import GeekAI
from bot.providers.geekai_models import read_models
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Http
from bot.request import CAMERAS, Mode, VideoRequest, check_request, settle

CASES = read_cases("geekai")
SUBMITS = [name for name, case in CASES.items() if case["request"]["method"] == "POST"]
POLLS = [name for name in CASES if name not in SUBMITS]
OFFERS = read_models(
    ["cogvideox-flash/words/1280x960/sound", "kling-v1-6/words/photo/frames/16:9/9:16/5s/10s/negative"]
)
KEY = "YOUR_API_KEY"
WEEK_S = 7 * 86400
NO_SUCH_PATH = Reply(404, "<html>no such page</html>")
WORDS = VideoRequest(model="geekai-jimeng", prompt="a private wish")

MEANING = {
    "bad_request": (Rejected, "refused", None),
    "auth": (AccountProblem, "account", "key_refused"),
    "balance": (AccountProblem, "account", "no_balance"),
    "permission": (AccountProblem, "account", "not_activated"),
    "rate_limited": (Unavailable, "busy", None),
    "provider_error": (Unavailable, "provider_fault", None),
}
"""What each `error_kind` of a refused submit is in our words, and what it tells the admins."""
MODEL_GONE = (AccountProblem, "model_gone", "model_gone")


def _adapter(server: ProviderServer) -> GeekAI:
    return GeekAI(
        SecretStr(KEY),
        f"{server.base_url}/api/v1",
        offers=OFFERS,
        http=Http(),
        fetcher=VideoFetcher(frozenset({"127.0.0.1"})),
    )


MODEL, *OTHERS = GeekAI(KEY, http=Http(), fetcher=VideoFetcher(frozenset()), offers=OFFERS).models


def _script(server: ProviderServer, *replies: Reply) -> None:
    """The answers to the next calls. To this server, whatever is no poll of Volcengine's is a submit."""
    server.next("submit", *replies)


def _asked(body: dict[str, Any]) -> tuple[VideoRequest, list[Photo]]:
    """The request in our words that leads to an example's body."""
    photos = [_photo(body[field]) for field in ("image", "image_tail") if field in body]
    camera = body.get("extra_body", {})
    request = VideoRequest(
        model=ours if (ours := f"geekai-{body['model']}") in OFFERS else "geekai-jimeng",
        prompt=body["prompt"],
        photos=("file",) * len(photos),
        ratio=body.get("aspect_ratio"),
        seconds=body.get("duration", 5),
        resolution=body.get("size") or body.get("resolution"),
        audio=body.get("with_audio"),
        negative_prompt=body.get("negative_prompt"),
        camera=camera.get("template_id"),
        strength=camera.get("camera_strength"),
    )
    return request, photos


def _photo(text: str) -> Photo:
    return PhotoLink(text, 1280, 720) if text.startswith("http") else base64.b64decode(text)


# The examples


@pytest.mark.parametrize("name", SUBMITS)
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    request, photos = _asked(case["request"]["body"])
    models = {model.name: model for model in (MODEL, *OTHERS)}
    assert check_request(request, models[request.model]) == []
    async with ProviderServer() as server:
        _script(server, reply_of(case))
        outcome = await outcome_of(_adapter(server).submit(request, photos, "t1"))

    [sent] = server.received
    check_call(sent, case["request"])
    # `async` is always there, also where an example waits for the video. One example asks for a Veo model.
    jimeng = "jimeng_i2v_v30" if photos else "jimeng_t2v_v30"
    name_there = OFFERS[request.model].wire_name if request.model in OFFERS else jimeng
    # What GeekAI takes by itself is left to it.
    example = {key: value for key, value in case["request"]["body"].items() if key not in {"fps", "quality"}}
    assert sent.fields == {**example, "async": True, "model": name_there}
    expect = case["expect"]
    match expect["state"]:
        case "accepted":
            queued = case["response"]["body"].get("task_status") == "pending"
            assert outcome == Accepted(expect["task_id"], StillRunning(queued=queued))
        case "succeeded":
            assert outcome == Accepted(expect["task_id"], Succeeded(expect["video_urls"][0], WEEK_S))
        case state:
            assert state == "rejected"
            kind, word, trouble = MODEL_GONE if name == "error_404" else MEANING[expect["error_kind"]]
            assert type(outcome) is kind
            assert isinstance(outcome, ProviderError)
            assert (outcome.code, getattr(outcome, "trouble", None)) == (word, trouble)
            assert str(expect["code"]) in outcome.detail


@pytest.mark.parametrize("name", POLLS)
async def test_every_recorded_poll_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    legacy = case["request"]["path"].endswith("/result")
    task_id = case["request"]["path"].removesuffix("/result").rpartition("/")[2]
    gone = case["response"]["status"] == 404
    async with ProviderServer() as server:
        _script(server, *[NO_SUCH_PATH] * legacy, reply_of(case), *[NO_SUCH_PATH] * gone)
        outcome = await outcome_of(_adapter(server).poll(task_id, MODEL))

    check_call(server.received[legacy], case["request"])
    assert len(server.received) == 1 + legacy + gone
    assert all(sent.body == b"" for sent in server.received)
    expect = case["expect"]
    match expect["state"]:
        case "queued":
            assert outcome == StillRunning(queued=True)
        case "running":
            assert outcome == StillRunning(expect["progress"] / 100 if "progress" in expect else None)
        case "succeeded":
            assert outcome == Succeeded(expect["video_urls"][0], WEEK_S)
        case "failed":
            assert expect["error_kind"] == "moderation_input_image"
            assert outcome == Failed("photo_refused", "code 50411, HTTP 200")
        case "not_found":
            assert isinstance(outcome, Failed)
            assert outcome.code == "not_found"
        case state:
            assert state == "unknown"
            assert isinstance(outcome, Unavailable)
            assert outcome.code == "unreachable"


# What is sent


def test_the_model_does_all_but_a_camera_at_1080p() -> None:
    photos = {Mode.TEXT: 0, Mode.FIRST_FRAME: 1, Mode.FIRST_LAST: 2, Mode.CAMERA: 1}
    for mode, count in photos.items():
        camera = CAMERAS[0] if mode is Mode.CAMERA else None
        request = WORDS.model_copy(update={"photos": ("file",) * count, "camera": camera})
        for resolution in ("720p", "1080p"):
            problems = check_request(request.model_copy(update={"resolution": resolution}), MODEL)
            refused = mode is Mode.CAMERA and resolution == "1080p"
            assert [one.code for one in problems] == ["no_camera_at_resolution"] * refused
    assert [one.code for one in check_request(WORDS.model_copy(update={"seed": 1}), MODEL)] == ["no_seed"]


async def test_what_geekai_takes_for_granted_is_not_sent() -> None:
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).submit(settle(WORDS, MODEL), (), "t1"))
    assert set(server.received[0].fields) == {"model", "prompt", "aspect_ratio", "async"}


async def test_two_photos_that_come_as_bytes_are_sent_as_bare_base64() -> None:
    request = settle(WORDS.model_copy(update={"photos": ("a", "b"), "resolution": "1080p"}), MODEL)
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).submit(request, (b"first", b"last"), "t1"))
    sent = server.received[0].fields
    assert (sent["image"], sent["image_tail"]) == ("Zmlyc3Q=", "bGFzdA==")
    assert sent["resolution"] == "1080p"
    assert "aspect_ratio" not in sent


async def test_a_base_url_may_end_in_a_slash_and_an_id_may_hold_anything() -> None:
    async with ProviderServer() as server:
        adapter = GeekAI(KEY, f"{server.base_url}/api/v1/", http=Http(), fetcher=VideoFetcher())
        await outcome_of(adapter.poll("local:7/../a?b#c%", MODEL))
    assert server.received[0].path == "/api/v1/videos/local%3A7%2F..%2Fa%3Fb%23c%25"


# Which of the two paths knows the job


async def test_the_path_that_works_comes_first_from_then_on() -> None:
    running = Reply(200, {"task_status": "running"})
    async with ProviderServer() as server:
        adapter = _adapter(server)
        _script(server, NO_SUCH_PATH, running, running, NO_SUCH_PATH, running, running)
        for _ in range(4):
            assert await adapter.poll("7", MODEL) == StillRunning()
    older, newer = "/api/v1/video/7/result", "/api/v1/videos/7"
    assert [sent.path for sent in server.received] == [newer, older, older, older, newer, newer]


@pytest.mark.parametrize(
    "answer", [Reply(200, "<html>welcome</html>"), Reply(500, {"error": "?"}), NO_SUCH_PATH]
)
async def test_a_path_that_told_nothing_does_not_come_first(answer: Reply) -> None:
    async with ProviderServer() as server:
        adapter = _adapter(server)
        _script(server, NO_SUCH_PATH, answer, Reply(200, {"task_status": "pending"}))
        await outcome_of(adapter.poll("7", MODEL))
        assert await adapter.poll("7", MODEL) == StillRunning(queued=True)
    assert server.received[2].path == "/api/v1/videos/7"


async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path) -> None:
    async with ProviderServer() as server:
        link = f"{server.base_url}/videos/7.mp4?sign=s3cr3t-7"
        done = {"task_id": "7", "task_status": "success", "video_result": {"url": link}}
        _script(server, Reply(200, {"task_id": "7", "task_status": "running"}), Reply(200, done))
        adapter: Provider = _adapter(server)
        accepted = await adapter.submit(WORDS, (), "t1")
        status = await adapter.poll(accepted.remote_id, MODEL)
        assert isinstance(status, Succeeded)
        await adapter.fetch(status.video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert await asyncio.to_thread((tmp_path / "video.mp4").read_bytes) == make_mp4()


def test_a_listed_model_makes_what_its_parts_say() -> None:
    flash, kling = OTHERS
    assert (flash.modes, flash.resolutions, flash.seconds) == (frozenset({Mode.TEXT}), ("1280x960",), (5,))
    assert (flash.audio, kling.audio, kling.negative_prompt) == (True, False, True)
    assert (kling.ratios, kling.seconds) == (("16:9", "9:16"), (5, 10))
    [plain] = [offer.model for offer in read_models(["Some New.Model"]).values()]
    assert (plain.name, plain.modes) == ("geekai-some-new.model", frozenset({Mode.TEXT, Mode.FIRST_FRAME}))
    assert (plain.ratios, plain.resolutions) == ((), ())
