"""The Jimeng relay's adapter over HTTP: every recorded example, what is sent, and a record's dialects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from provider_server import Reply, make_mp4
from provider_wire import HASTY, Wire
from pydantic import SecretStr
from recorded_examples import check_call, check_poll, check_submit, outcome_of, read_cases, reply_of

from bot.errors import AccountProblem, OutcomeUnknown, Rejected, Unavailable
from bot.provider import Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers.jimeng_relay import JimengRelay, read_poll, read_submit
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call
from bot.request import Mode, VideoRequest, check_request, settle

CASES = read_cases("jimeng_relay")
SUBMITS = [name for name, case in CASES.items() if case["request"]["method"] == "POST"]
POLLS = [name for name in CASES if name not in SUBMITS]
KEY = "YOUR_API_KEY"
LINK = "https://videos.example/a.mp4?sign=1"
PHOTO = PhotoLink("https://bot.example/first.png", 1600, 900)
WORDS = VideoRequest(model="relay-jimeng", prompt="a private wish", ratio="21:9", seconds=5)

MEANING = {
    "auth": (AccountProblem, "account", "key_refused"),
    "balance": (AccountProblem, "account", "no_balance"),
    "permission": (AccountProblem, "account", "account"),
    "bad_request": (Rejected, "refused", None),
    "moderation_input_image": (Rejected, "photo_refused", None),
    "rate_limited": (Unavailable, "busy", None),
    "provider_error": (Unavailable, "provider_fault", None),
}
"""What each `error_kind` of a refused submit is in our words, and what it tells the admins."""
FAILURES = {"moderation_output_image": "video_refused", "unknown": "provider_fault"}
"""The same for a failed job."""


def _adapter(base_url: str, model: str | None = None) -> JimengRelay:
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}))
    return JimengRelay(SecretStr(KEY), base_url, model=model, http=HASTY, fetcher=fetcher)


MODEL = _adapter("http://relay.example:8080").models[0]


def _asked(body: dict[str, Any]) -> tuple[VideoRequest, list[Photo]]:
    """The request in our words that leads to an example's body."""
    urls = body.get("image_urls") or [body[name] for name in ("image_url",) if name in body]
    across, down = map(int, body["aspect_ratio"].split(":"))
    request = VideoRequest(
        model="relay-jimeng",
        prompt=body["prompt"],
        photos=("file",) * len(urls),
        ratio=None if urls else body["aspect_ratio"],
        seconds=body["duration"],
    )
    return request, [PhotoLink(url, across * 100, down * 100) for url in urls]


def _record(**record: object) -> Answer:
    return Answer(Call.POLL, 200, {"code": "success", "message": "", "data": record})


async def _sent(request: VideoRequest, *photos: Photo, model: str | None = None) -> dict[str, object]:
    async with Wire(Reply(200, {"code": "success", "data": "1"})) as wire:
        await _adapter(wire.base_url, model).submit(request, photos, "t1")
    return wire.received[0].fields


# The examples


@pytest.mark.parametrize("name", SUBMITS)
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    body = case["request"]["body"]
    request, photos = _asked(body)
    assert check_request(request, MODEL) == []
    async with Wire(reply_of(case)) as wire:
        outcome = await outcome_of(_adapter(wire.base_url, body.get("model")).submit(request, photos, "t1"))

    [sent] = wire.received
    check_call(sent, case["request"])
    # The document demands `cfg_scale`; the one example without it is another relay's, which names no value.
    assert sent.fields == {"cfg_scale": 0.5, **body}
    expect = case["expect"]
    check_submit(outcome, expect, MEANING.get(expect.get("error_kind", "")))


@pytest.mark.parametrize("name", POLLS)
async def test_every_recorded_poll_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    async with Wire(reply_of(case)) as wire:
        task_id = case["request"]["path"].rpartition("/")[2]
        outcome = await outcome_of(_adapter(wire.base_url).poll(task_id, MODEL))

    [sent] = wire.received
    check_call(sent, case["request"])
    assert sent.body == b""
    check_poll(outcome, case["expect"], FAILURES)


# What is offered and sent


def test_a_photo_goes_to_the_relay_as_a_link_and_is_cropped_there() -> None:
    assert MODEL.company == "the relay relay.example"
    assert (MODEL.photo_as, MODEL.crops_photo, MODEL.ratio_with_photo) == ("link", True, False)


def test_a_request_for_the_relay_has_no_resolution_and_keeps_the_photos_own_ratio() -> None:
    request = settle(VideoRequest(model=MODEL.name, prompt="x", photos=("file",), ratio="1:1"), MODEL)
    assert (request.resolution, request.ratio, request.seconds) == (None, None, 5)
    for wrong in ({"seed": 1}, {"resolution": "720p"}, {"camera": "robo_arm"}, {"photos": ("a", "b")}):
        assert check_request(request.model_copy(update=wrong), MODEL)
    assert MODEL.modes == {Mode.TEXT, Mode.FIRST_FRAME}


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [(1600, 900, "16:9"), (900, 1600, "9:16"), (1000, 1000, "1:1"), (3380, 1072, "21:9"), (800, 601, "4:3")],
)
async def test_a_photo_goes_with_the_ratio_closest_to_its_own(width: int, height: int, ratio: str) -> None:
    request = WORDS.model_copy(update={"photos": ("file",), "ratio": None})
    sent = await _sent(request, PhotoLink("https://bot.example/p.jpg", width, height))
    assert sent["aspect_ratio"] == ratio


async def test_a_ratio_that_was_chosen_is_sent_beside_a_photo() -> None:
    sent = await _sent(WORDS.model_copy(update={"photos": ("file",), "ratio": "3:4"}), PHOTO)
    assert (sent["aspect_ratio"], sent["image_url"]) == ("3:4", PHOTO.url)


async def test_a_relay_that_wants_a_model_gets_it_and_the_photo_in_a_list() -> None:
    request = WORDS.model_copy(update={"photos": ("file",)})
    sent = await _sent(request, PHOTO, model="jimeng-video-3.0")
    assert (sent["model"], sent["image_urls"]) == ("jimeng-video-3.0", [PHOTO.url])
    assert "image_url" not in sent
    assert "image_urls" not in await _sent(WORDS, model="jimeng-video-3.0")


async def test_the_bytes_of_a_photo_are_refused_before_anything_is_sent() -> None:
    async with Wire() as wire:
        with pytest.raises(Rejected):
            await _adapter(wire.base_url).submit(WORDS, [b"\xff\xd8"], "t1")
    assert wire.received == []


async def test_an_id_is_encoded_and_a_base_url_may_have_a_path_and_a_slash_at_its_end() -> None:
    async with Wire(Reply(200, {"code": "success", "data": "1"}), Reply(200, {})) as wire:
        adapter = _adapter(f"{wire.base_url}/api/")
        await adapter.submit(WORDS, (), "t1")
        await outcome_of(adapter.poll("a/b:c?d%2F", MODEL))
    assert [call.path for call in wire.received] == [
        "/api/jimeng/submit/videos",
        "/api/jimeng/fetch/a%2Fb%3Ac%3Fd%252F",
    ]


async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path) -> None:
    running = {"code": "success", "data": {"status": "IN_PROGRESS", "progress": "30%"}}
    async with Wire(Reply(200, {"code": "success", "data": "7"}), Reply(200, running)) as wire:
        adapter: Provider = _adapter(wire.base_url)
        accepted = await adapter.submit(WORDS, (), "t1")
        assert await adapter.poll(accepted.remote_id, MODEL) == StillRunning(0.3)
        done = {"code": "success", "data": {"status": "SUCCESS", "data": {"video": f"{wire.base_url}/v.mp4"}}}
        wire.replies += [Reply(200, done), Reply(200, make_mp4())]
        status = await adapter.poll(accepted.remote_id, MODEL)
        assert isinstance(status, Succeeded)
        await adapter.fetch(status.video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert (tmp_path / "video.mp4").read_bytes() == make_mp4()


# Dialects of the answer to a submit


@pytest.mark.parametrize("code", ["success", "SUCCESS", 0, 200, "0", "200"])
@pytest.mark.parametrize(
    ("data", "task_id"),
    [
        ("4596183399426", "4596183399426"),
        (4596183399426, "4596183399426"),
        ({"task_id": "cgt-1"}, "cgt-1"),
        ({"task_id": 17}, "17"),
        ({"id": "cgt-2"}, "cgt-2"),
    ],
)
def test_every_form_of_success_gives_the_id(code: object, data: object, task_id: str) -> None:
    answer = Answer(Call.SUBMIT, 200, {"code": code, "message": "", "data": data})
    assert read_submit(answer).remote_id == task_id


@pytest.mark.parametrize("data", [None, "", {}, [], {"task_id": ""}, {"task_id": None}, True, "two words"])
def test_a_success_without_an_id_may_have_been_charged(data: object) -> None:
    with pytest.raises(OutcomeUnknown):
        read_submit(Answer(Call.SUBMIT, 200, {"code": "success", "data": data}))


@pytest.mark.parametrize(
    ("status", "code"), [(200, "error"), (400, "invalid_request"), (500, "success"), (200, None), (429, 0)]
)
def test_an_id_beside_anything_but_success_is_neither_taken_nor_taken_for_a_refusal(
    status: int, code: object
) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        read_submit(Answer(Call.SUBMIT, status, {"code": code, "message": "", "data": "4596183399426"}))
    assert "4596183399426" in unknown.value.detail


# Dialects of a record


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NOT_START", StillRunning(queued=True)),
        ("SUBMITTED", StillRunning(queued=True)),
        ("queued", StillRunning(queued=True)),
        ("IN_PROGRESS", StillRunning(0.3)),
        ("processing", StillRunning(0.3)),
        ("PROCESSING", StillRunning(0.3)),
        ("UNKNOWN", StillRunning()),
        ("SUCCESSFULLY_QUEUED", StillRunning()),
        ("", StillRunning()),
        (None, StillRunning()),
        (7, StillRunning()),
        ("SUCCESS", Succeeded(LINK, 3600)),
        ("succeeded", Succeeded(LINK, 3600)),
    ],
)
def test_a_status_word_is_compared_whole_and_in_any_case(word: object, status: object) -> None:
    assert read_poll(_record(status=word, progress="30%", video_url=LINK)) == status


@pytest.mark.parametrize("word", ["FAILURE", "failed", "FAILED", "error"])
def test_a_failure_is_one_whatever_else_the_record_holds(word: str) -> None:
    status = read_poll(_record(status=word, fail_reason=LINK, video_url=LINK))
    assert isinstance(status, Failed)
    assert status.code == "provider_fault"


IN_ORDER: list[dict[str, Any]] = [
    {"data": {"video": LINK}},
    {"data": {"data": {"video": LINK}}},
    {"result_url": LINK},
    {"data": {"data": {"video_url": LINK}}},
    {"data": {"video_url": LINK}},
    {"video_url": LINK},
    {"video": LINK},
    {"data": {"videos": [{"url": LINK}]}},
    {"task_result": {"videos": [{"url": LINK}]}},
    {"url": LINK},
    {"fail_reason": LINK},
]


@pytest.mark.parametrize("record", IN_ORDER)
def test_the_link_is_found_wherever_relays_put_it(record: dict[str, Any]) -> None:
    assert read_poll(_record(status="SUCCESS", **record)) == Succeeded(LINK, 3600)


@pytest.mark.parametrize("place", range(len(IN_ORDER) - 1))
def test_of_several_links_the_place_that_comes_first_counts(place: int) -> None:
    later = json.loads(json.dumps(IN_ORDER[place + 1]).replace(LINK, "https://videos.example/other.mp4"))
    record = _merged(later, IN_ORDER[place])
    assert read_poll(_record(status="SUCCESS", **record)) == Succeeded(LINK, 3600)


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for key, value in other.items():
        both[key] = _merged(both[key], value) if isinstance(both.get(key), dict) else value
    return both


def test_a_place_without_a_usable_link_is_passed_over() -> None:
    record = {
        "data": {"video": "", "videos": {"0": LINK}},
        "task_result": {"videos": [7]},
        "result_url": "s3://bucket/x",
        "url": LINK,
    }
    assert read_poll(_record(status="SUCCESS", **record)) == Succeeded(LINK, 3600)


def test_the_upstreams_answer_is_read_as_text_too() -> None:
    upstream = json.dumps({"code": 10000, "data": {"status": "done", "video_url": LINK}})
    assert read_poll(_record(status="SUCCESS", data=upstream)) == Succeeded(LINK, 3600)


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({"data": {"code": 50413, "message": "Post Text Risk Not Pass"}}, "prompt_sensitive"),
        ({"data": {"code": 50512, "message": "Post Text Risk Not Pass"}}, "video_text_refused"),
        ({"data": '{"code": 50516, "message": "Post Video Risk Not Pass"}'}, "video_refused"),
        ({"data": {"code": 50518, "message": "Pre Img Risk Not Pass: Copyright"}}, "photo_copyright"),
        ({"data": {"data": {"code": 50412}}}, "prompt_refused"),
        ({"data": {"code": 50501, "message": "Internal RPC Error"}}, "provider_fault"),
        ({"fail_reason": "Text Risk Not Pass"}, "prompt_refused"),
        ({"fail_reason": '{"error": {"code": 50411, "message": "no"}}'}, "photo_refused"),
        ({"fail_reason": "the content policy was violated"}, "refused"),
        ({"fail_reason": "Too Many Requests"}, "busy"),
        ({"fail_reason": "50430"}, "busy"),
    ],
)
@pytest.mark.parametrize("word_of_status", ["FAILURE", "SUCCESS"])
def test_why_there_is_no_video_is_read_from_the_record_and_from_what_it_wraps(
    record: dict[str, Any], word: str, word_of_status: str
) -> None:
    status = read_poll(_record(status=word_of_status, **record))
    assert isinstance(status, Failed)
    assert status.code == word


@pytest.mark.parametrize("record", [{}, {"data": None}, {"data": {"code": 10000}}, {"url": "ftp://x/y"}])
def test_a_success_without_a_link_is_no_video(record: dict[str, Any]) -> None:
    status = read_poll(_record(status="SUCCESS", **record))
    assert isinstance(status, Failed)
    assert status.code == "no_video"


@pytest.mark.parametrize(
    ("progress", "read"),
    [
        ("30%", 0.3),
        ("30", 0.3),
        (" 99.5 % ", 0.995),
        (30, 0.3),
        (0, 0.0),
        (100, 1.0),
        (250, 1.0),
        (-1, 0.0),
        (12.5, 0.125),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (["30%"], None),
    ],
)
def test_progress_is_percent_as_text_or_as_a_number(progress: object, read: float | None) -> None:
    assert read_poll(_record(status="IN_PROGRESS", progress=progress)) == StillRunning(read)


def test_success_with_null_for_data_is_a_job_that_nobody_knows() -> None:
    status = read_poll(Answer(Call.POLL, 200, {"code": "success", "message": "", "data": None}))
    assert isinstance(status, Failed)
    assert status.code == "not_found"


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (200, {"code": "success"}),
        (200, {"code": "success", "data": "cgt-1"}),
        (200, {"code": "success", "data": [1]}),
        (200, {"code": None, "data": {"status": "FAILURE"}}),
        (500, {"code": "success", "data": {"status": "FAILURE"}}),
        (500, {"code": "success", "data": None}),
        (302, {"code": "success", "data": {"status": "FAILURE"}}),
    ],
)
def test_a_poll_without_a_record_ends_nothing(status: int, fields: dict[str, object]) -> None:
    with pytest.raises(Unavailable) as nothing:
        read_poll(Answer(Call.POLL, status, fields))
    assert nothing.value.code == "unreachable"
