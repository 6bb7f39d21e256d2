"""The unified relay's adapter over HTTP: every recorded example, what is sent, and the dialects of a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, Clock
from provider_server import Reply, make_mp4
from provider_wire import HASTY, Wire
from pydantic import SecretStr
from recorded_examples import check_call, check_poll, check_submit, outcome_of, read_cases, reply_of

from bot.errors import AccountProblem, OutcomeUnknown, Rejected, Unavailable
from bot.provider import Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers import build_models, build_providers
from bot.providers.unified_relay import UnifiedRelay, read_poll, read_submit
from bot.providers.unified_relay_models import jimeng, read_models
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call
from bot.request import Mode, VideoRequest, check_request, settle
from bot.settings import IsolatedSettings

CASES = read_cases("unified_relay")
NOT_BUILT = {"submit_veo31_fast_components_octopusx", "submit_vidu_octopusx"}
"""One relay's own fields, for which the others have no name."""
POSTS = [name for name, case in CASES.items() if case["request"]["method"] == "POST"]
SUBMITS = [name for name in POSTS if name not in NOT_BUILT]
POLLS = [name for name in CASES if name not in POSTS]
KEY = "YOUR_API_KEY"
ID = "veo3.1-components:1762241017-xTL0P9HvGF"
LINK = "https://videos.example/a.mp4?sign=1"
WORDS = VideoRequest(
    model="unified-jimeng", prompt="a private wish", ratio="3:2", seconds=5, resolution="720p"
)

MEANING = {
    ("auth", "none"): (AccountProblem, "account", "key_refused"),
    ("balance", "none"): (AccountProblem, "account", "no_balance"),
    ("bad_request", "none"): (Rejected, "refused", None),
    ("rate_limited", "same_call_later"): (Unavailable, "busy", None),
    ("provider_error", "same_call_later"): (Unavailable, "provider_fault", None),
    # The connection to the upstream broke: nothing is refused.
    ("provider_error", "none"): (OutcomeUnknown, "submit_unknown", None),
}
"""What each `error_kind` and `retry` of a submit is in our words, and what it tells the admins."""
FAILURES = {
    "moderation": "refused",
    "no_video": "no_video",
    "canceled": "provider_fault",
    "unknown": "provider_fault",
}
"""The same for a failed job."""


RATIOS, SIZES = ("2:3", "3:2", "1:1"), ("720P",)


def _adapter(base_url: str, **options: Any) -> UnifiedRelay:
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}))
    # Later than every example.
    clock = options.pop("clock", Clock(NOW + timedelta(days=3650)))
    if "models" in options:
        options = {"offers": read_models(options["models"], RATIOS, SIZES)}
    elif options:
        ratios, sizes = options.get("ratios", RATIOS), options.get("sizes", SIZES)
        options = {"offers": [jimeng("jimeng-video-3.0", ratios, sizes)]}
    return UnifiedRelay(SecretStr(KEY), base_url, http=HASTY, fetcher=fetcher, clock=clock, **options)


MODEL = _adapter("http://relay.example:8080").models[0]


OURS = {
    "jimeng-video-3.0": "unified-jimeng",
    "grok-video-3": "grok-3",
    "veo3.1": "unified-veo-3.1",
    "veo3.1-components": "unified-veo-3.1",
    "veo3.1-fast": "unified-veo-3.1-fast",
}


def _asked(body: dict[str, Any]) -> tuple[VideoRequest, list[Photo]]:
    """The request in our words that leads to an example's body."""
    across, down = map(int, body["aspect_ratio"].split(":"))
    references = "components" in body["model"]
    request = VideoRequest(
        model=OURS[body["model"]],
        prompt=body["prompt"],
        photos=("file",) * len(body["images"]),
        photos_as="references" if references else "frames",
        ratio=None if body["images"] and not references else body["aspect_ratio"],
        resolution=body["size"].lower() if "size" in body else None,
        enhance=body.get("enhance_prompt"),
    )
    return request, [PhotoLink(url, across * 100, down * 100) for url in body["images"]]


def _job(**fields: object) -> Answer:
    return Answer(Call.POLL, 200, {"id": ID, **fields})


async def _sent(
    request: VideoRequest, photos: Sequence[Photo] = (), *, sizes: Sequence[str] = ("720P",)
) -> dict[str, object]:
    async with Wire(Reply(200, {"id": ID, "status": "pending"})) as wire:
        await _adapter(wire.base_url, sizes=sizes).submit(request, photos, "t1")
    return wire.received[0].fields


# The examples


@pytest.mark.parametrize("name", SUBMITS)
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    body = case["request"]["body"]
    request, photos = _asked(body)
    entry = "/".join(filter(None, [body["model"], "1:1/3:2/16:9/9:16/2:3", body.get("size"), "frames"]))
    async with Wire(reply_of(case)) as wire:
        adapter = _adapter(wire.base_url, models=[entry])
        assert check_request(request, adapter.models[0]) == []
        outcome = await outcome_of(adapter.submit(request, photos, "t1"))

    [sent] = wire.received
    check_call(sent, case["request"])
    assert sent.fields == body
    expect = case["expect"]
    check_submit(outcome, expect, MEANING.get((expect.get("error_kind", ""), expect.get("retry", ""))))


@pytest.mark.parametrize("name", POLLS)
async def test_every_recorded_poll_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    async with Wire(reply_of(case)) as wire:
        outcome = await outcome_of(_adapter(wire.base_url).poll(case["request"]["query"]["id"], MODEL))

    [sent] = wire.received
    check_call(sent, case["request"])
    assert sent.body == b""
    check_poll(outcome, case["expect"], FAILURES)


# What is offered and sent


def test_a_photo_goes_to_the_relay_as_a_link_and_gives_the_video_its_ratio() -> None:
    assert MODEL.company == "the relay relay.example"
    assert (MODEL.photo_as, MODEL.crops_photo, MODEL.ratio_with_photo) == ("link", False, False)


def test_ratios_and_sizes_are_those_that_the_operator_names() -> None:
    sizes = ("1080P", "1280x720", "720X1280")
    model = _adapter("http://relay.example", ratios=("16:9", "21:9"), sizes=sizes).models[0]
    assert model.ratios == ("16:9", "21:9")
    assert model.resolutions == ("1080p", "1280x720", "720x1280")
    assert (MODEL.ratios, MODEL.resolutions, MODEL.seconds) == (("2:3", "3:2", "1:1"), ("720p",), (5,))


def test_two_photos_are_not_offered_since_nobody_says_what_they_mean() -> None:
    assert MODEL.modes == {Mode.TEXT, Mode.FIRST_FRAME}
    assert check_request(WORDS.model_copy(update={"photos": ("a", "b")}), MODEL)


@pytest.mark.parametrize(
    ("resolution", "size"), [("720p", "720P"), ("1080p", "1080p"), ("720x1280", "720X1280")]
)
async def test_a_size_is_sent_as_the_relay_writes_it(resolution: str, size: str) -> None:
    request = WORDS.model_copy(update={"resolution": resolution})
    assert (await _sent(request, sizes=("720P", "1080p", "720X1280")))["size"] == size


async def test_a_size_that_is_no_longer_set_up_is_refused_before_anything_is_sent() -> None:
    async with Wire() as wire:
        with pytest.raises(Rejected) as refused:
            await _adapter(wire.base_url, sizes=("1080P",)).submit(WORDS, (), "t1")
    assert refused.value.code == "model_gone"
    assert wire.received == []


async def test_a_relay_without_sizes_is_sent_none() -> None:
    model = _adapter("http://relay.example", sizes=()).models[0]
    request = settle(VideoRequest(model=model.name, prompt="x"), model)
    assert "size" not in await _sent(request, sizes=())


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [(1600, 900, "3:2"), (900, 1600, "2:3"), (1000, 1001, "1:1"), (1220, 1000, "1:1"), (1230, 1000, "3:2")],
)
async def test_a_photo_goes_with_the_ratio_closest_to_its_own(width: int, height: int, ratio: str) -> None:
    request = settle(VideoRequest(model=MODEL.name, prompt="x", photos=("file",), ratio="2:3"), MODEL)
    sent = await _sent(request, [PhotoLink("https://bot.example/p.jpg", width, height)])
    assert sent["aspect_ratio"] == ratio
    assert sent["images"] == ["https://bot.example/p.jpg"]


async def test_the_bytes_of_a_photo_are_refused_before_anything_is_sent() -> None:
    async with Wire() as wire:
        with pytest.raises(Rejected):
            await _adapter(wire.base_url).submit(WORDS, [b"\xff\xd8"], "t1")
    assert wire.received == []


async def test_an_id_travels_whole_and_a_base_url_may_have_a_path() -> None:
    async with Wire(Reply(200, {"id": "a:b+c&d=e/f%3A", "status": "pending"}), Reply(200, {})) as wire:
        adapter = _adapter(f"{wire.base_url}/api/")
        accepted = await adapter.submit(WORDS, (), "t1")
        await outcome_of(adapter.poll(accepted.remote_id, MODEL))
    submit, poll = wire.received
    assert (submit.path, poll.path) == ("/api/v1/video/create", "/api/v1/video/query")
    assert poll.query == "id=a%3Ab%2Bc%26d%3De%2Ff%253A"


async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path) -> None:
    running = {"id": ID, "status": "processing", "progress": "30%"}
    async with Wire(Reply(200, {"id": ID, "status": "pending"}), Reply(200, running)) as wire:
        adapter: Provider = _adapter(wire.base_url)
        accepted = await adapter.submit(WORDS, (), "t1")
        assert await adapter.poll(accepted.remote_id, MODEL) == StillRunning(0.3)
        done = {"id": "1762241017-xTL0P9HvGF", "status": "completed", "video_url": f"{wire.base_url}/v.mp4"}
        wire.replies += [Reply(200, done), Reply(200, make_mp4())]
        status = await adapter.poll(accepted.remote_id, MODEL)
        assert isinstance(status, Succeeded)
        await adapter.fetch(status.video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert (tmp_path / "video.mp4").read_bytes() == make_mp4()


# Dialects of the answers


@pytest.mark.parametrize(
    ("fields", "task_id"),
    [
        ({"id": ID, "status": "pending"}, ID),
        ({"task_id": ID, "status": "processing"}, ID),
        ({"id": None, "task_id": "7"}, "7"),
        ({"id": 7, "task_id": "8"}, "7"),
        ({"code": "success", "id": ID, "error": None}, ID),
    ],
)
def test_the_id_is_taken_from_either_field(fields: dict[str, object], task_id: str) -> None:
    assert read_submit(Answer(Call.SUBMIT, 200, fields)).remote_id == task_id


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (200, {"status": "pending"}),
        (200, {"id": ""}),
        (200, {"id": "two words"}),
        (200, {"id": ID, "error": {"message": "images is required", "code": "invalid_request"}}),
        (400, {"id": ID, "code": "invalid_request", "message": ""}),
        (502, {"id": ID, "status": "pending"}),
    ],
)
def test_without_a_clear_yes_or_no_a_submit_may_have_been_charged(
    status: int, fields: dict[str, object]
) -> None:
    with pytest.raises(OutcomeUnknown):
        read_submit(Answer(Call.SUBMIT, status, fields))


STAGES = (
    "processing in_progress running image_downloading video_generating video_generation_completed "
    "video_upsampling video_upsampling_completed"
)
ENDS = "failed error cancelled canceled video_generation_failed video_upsampling_failed Failed"


@pytest.mark.parametrize("word", STAGES.split())
def test_a_stage_still_runs_also_where_a_link_is_there(word: str) -> None:
    assert read_poll(_job(status=word, video_url=LINK, progress=40)) == StillRunning(0.4)


@pytest.mark.parametrize("word", ["completed", "success", "succeeded", "SUCCESS", "Completed"])
def test_every_word_for_success_is_one(word: str) -> None:
    assert read_poll(_job(status=word, video_url=LINK, error=None)) == Succeeded(LINK, 3600)


@pytest.mark.parametrize("word", ENDS.split())
def test_every_word_for_failure_is_one(word: str) -> None:
    assert isinstance(read_poll(_job(status=word, video_url=LINK)), Failed)


@pytest.mark.parametrize("word", ["pending", "queued", "PENDING"])
def test_a_job_that_waits_is_queued(word: str) -> None:
    assert read_poll(_job(status=word)) == StillRunning(queued=True)


@pytest.mark.parametrize("word", ["unknown", "completed_soon", "not_failed"])
def test_an_unknown_word_ends_nothing(word: str) -> None:
    assert read_poll(_job(status=word, video_url=LINK)) == StillRunning()


def test_the_link_may_stand_in_detail_and_an_error_of_an_earlier_try_beside_it() -> None:
    detail = {"video_url": LINK, "error_message": "Pre Img Risk Not Pass"}
    assert read_poll(_job(status="completed", video_url=None, detail=detail)) == Succeeded(LINK, 3600)
    assert read_poll(_job(status="completed", detail=json.dumps(detail))) == Succeeded(LINK, 3600)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"error": {"message": "Pre Img Risk Not Pass"}}, "photo_refused"),
        ({"error": {"code": 50512, "message": "Post Text Risk Not Pass"}}, "video_text_refused"),
        ({"error": {"code": "50413", "message": "Post Text Risk Not Pass"}}, "prompt_sensitive"),
        ({"error": "Text Risk Not Pass"}, "prompt_refused"),
        ({"error": '{"code": 50411, "message": "no"}'}, "photo_refused"),
        ({"error": "", "detail": {"error_message": "post audio risk not pass"}}, "audio_refused"),
        ({"error": {}, "message": "Post Video Risk Not Pass"}, "video_refused"),
        ({"error": "first", "detail": {"error_message": "Text Risk Not Pass"}}, "provider_fault"),
        ({"error": "blocked: sensitive content"}, "refused"),
        ({"error": {"message": "50430"}}, "busy"),
        ({}, "provider_fault"),
    ],
)
def test_why_a_job_failed_is_read_in_the_order_of_the_document(fields: dict[str, Any], word: str) -> None:
    status = read_poll(_job(status="failed", **fields))
    assert isinstance(status, Failed)
    assert status.code == word


def test_success_with_null_for_data_is_a_job_that_nobody_knows() -> None:
    status = read_poll(Answer(Call.POLL, 200, {"code": "success", "message": "", "data": None}))
    assert isinstance(status, Failed)
    assert status.code == "not_found"


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (200, {}),
        (200, {"code": "success"}),
        (200, {"status": 7, "video_url": LINK}),
        (500, {"status": "failed"}),
        (500, {"status": "failed", "error": "upstream"}),
        (503, {"code": "success", "data": None}),
    ],
)
def test_a_poll_without_a_job_ends_nothing(status: int, fields: dict[str, object]) -> None:
    with pytest.raises(Unavailable) as nothing:
        read_poll(Answer(Call.POLL, status, fields))
    assert nothing.value.code == "unreachable"


# A link that comes late


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("field", ["completed_at", "status_update_time"])
async def test_a_link_may_come_a_little_after_the_end_and_then_there_is_none(field: str, unit: int) -> None:
    clock = Clock()
    done = Reply(200, {"id": ID, "status": "completed", "video_url": "", field: int(NOW.timestamp()) * unit})
    async with Wire(done, done) as wire:
        adapter = _adapter(wire.base_url, clock=clock)
        clock.advance(119)
        early = await outcome_of(adapter.poll(ID, MODEL))
        clock.advance(2)
        late = await outcome_of(adapter.poll(ID, MODEL))
    assert isinstance(early, Unavailable)
    assert early.code == "provider_fault"
    assert isinstance(late, Failed)
    assert late.code == "no_video"


@pytest.mark.parametrize("time", [None, "yesterday", 0, True, 1e300])
async def test_where_no_time_is_told_a_missing_link_is_the_relays_fault_which_ends_by_itself(
    time: object,
) -> None:
    """Five such polls over a quarter of an hour end a task: `schedule.gives_up_polling`."""
    async with Wire(Reply(200, {"id": ID, "status": "completed", "status_update_time": time})) as wire:
        outcome = await outcome_of(_adapter(wire.base_url).poll(ID, MODEL))
    assert isinstance(outcome, Unavailable)
    assert outcome.code == "provider_fault"


async def test_a_success_that_names_a_refusal_is_one_at_once() -> None:
    refused = {"id": ID, "status": "completed", "error": "Post Img Risk Not Pass"}
    async with Wire(Reply(200, refused)) as wire:
        outcome = await outcome_of(_adapter(wire.base_url).poll(ID, MODEL))
    assert isinstance(outcome, Failed)
    assert outcome.code == "video_refused"


# Several models at one relay


def test_names_that_are_modes_of_one_model_become_one_model() -> None:
    names = [
        "grok-video-3",
        "veo3.1-components",
        "veo3.1",
        "veo3.1-fast",
        "veo3.1-4k",
        "veo3.1-components-4k",
    ]
    models = {model.name: model for model in _adapter("http://relay.example", models=names).models}
    assert list(models) == ["grok-3", "unified-veo-3.1", "unified-veo-3.1-fast", "veo-3.1-4k"]
    all_modes = {Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.REFERENCES}
    assert models["unified-veo-3.1"].modes == models["veo-3.1-4k"].modes == all_modes
    assert models["unified-veo-3.1-fast"].modes == all_modes - {Mode.REFERENCES}
    assert (models["grok-3"].audio_always, models["grok-3"].company) == (True, "the relay relay.example")


@pytest.mark.parametrize(
    ("name", "ours", "modes"),
    [
        ("veo_3_1-fast", "unified-veo-3.1-fast", "text first_frame first_last"),
        ("veo3", "unified-veo-3", "text first_frame first_last"),
        ("veo3.1-pro-4k", "veo-3.1-pro-4k", "text first_frame first_last"),
        ("veo3-fast-frames", "veo-3-fast-frames", "first_frame first_last"),
        ("veo3-pro-frames", "veo-3-pro-frames", "first_frame"),
        ("veo2", "veo-2", "text first_frame"),
        ("veo2-pro-components", "veo-2-pro", "references"),
        ("wan-9", "unified-wan-9", "text first_frame"),
        ("wan-9/frames/references4", "unified-wan-9", "text first_frame first_last references"),
        ("jimeng-video-3.0", "unified-jimeng", "text first_frame"),
    ],
)
def test_every_name_has_a_record_and_an_unknown_one_a_cautious_one(name: str, ours: str, modes: str) -> None:
    [model] = _adapter("http://relay.example", models=[name]).models
    assert (model.name, model.modes) == (ours, frozenset(map(Mode, modes.split())))
    assert (model.references > 0) == (Mode.REFERENCES in model.modes)


async def test_an_entry_replaces_what_its_record_has() -> None:
    entry = "wan-9/1:1/1080P/references2/upsample"
    model = _adapter("http://relay.example", models=[entry]).models[0]
    assert (model.ratios, model.resolutions, model.references) == (("1:1",), ("1080p",), 2)
    request = settle(VideoRequest(model=model.name, prompt="x"), model)
    async with Wire(Reply(200, {"id": ID, "status": "pending"})) as wire:
        await _adapter(wire.base_url, models=[entry]).submit(request, (), "t1")
    assert wire.received[0].fields == {
        "model": "wan-9",
        "prompt": "x",
        "enable_upsample": True,
        "aspect_ratio": "1:1",
        "size": "1080P",
        "images": [],
    }


async def test_a_mode_that_is_no_longer_set_up_is_refused_before_anything_is_sent() -> None:
    request = VideoRequest(model="unified-veo-3.1", prompt="x", photos=("a",), photos_as="references")
    async with Wire() as wire:
        with pytest.raises(Rejected):
            await _adapter(wire.base_url, models=["veo3.1"]).submit(
                request, [PhotoLink("https://x", 1, 1)], "t1"
            )
    assert wire.received == []


def test_the_settings_of_one_model_go_on_working() -> None:
    settings = IsolatedSettings.model_validate(
        {
            "unified_relay_api_key": "key",
            "unified_relay_base_url": "https://relay.example",
            "unified_relay_model": "jimeng-x",
            "unified_relay_ratios": "16:9",
        }
    )
    models = build_models(settings, build_providers(settings, lambda: NOW))
    assert models["unified-jimeng"].ratios == ("16:9",)
