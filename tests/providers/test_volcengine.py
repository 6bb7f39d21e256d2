"""The Volcengine adapter over HTTP: every recorded example, and what no example shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from provider_server import (
    ACCESS_KEY_ID,
    NOW,
    SECRET_ACCESS_KEY,
    ProviderServer,
    Reply,
    failure,
    gateway_error,
    make_mp4,
    volcengine_at,
)

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers.volcengine import Volcengine
from bot.providers.wire.signing import Credentials, sign
from bot.request import VideoRequest

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((FIXTURES / "volcengine").glob("*.json"))
    # Those are replayed by test_real_answers.py.
    if not path.stem.startswith(("real_", "dialect2_"))
}
MODELS = {model.name: model for model in Volcengine.models}
MODEL = MODELS["jimeng-pro"]
MODEL_OF = {
    "jimeng_ti2v_v30_pro": "jimeng-pro",
    "jimeng_t2v_v30": "jimeng-720p",
    "jimeng_i2v_first_v30": "jimeng-720p",
    "jimeng_i2v_first_tail_v30": "jimeng-720p",
    "jimeng_i2v_recamera_v30": "jimeng-720p",
    "jimeng_t2v_v30_1080p": "jimeng-1080p",
    "jimeng_i2v_first_v30_1080": "jimeng-1080p",
    "jimeng_i2v_first_tail_v30_1080": "jimeng-1080p",
    "jimeng_wrong_key": "jimeng-720p",
}
WORDS_REQUEST = VideoRequest(
    model="jimeng-pro", prompt="千军万马", ratio="16:9", seconds=5, resolution="1080p"
)

MEANING = {
    "access_denied": (AccountProblem, "account"),
    "auth": (AccountProblem, "account"),
    "bad_request": (AccountProblem, "account"),
    "permission": (AccountProblem, "account"),
    "rate_limited": (Unavailable, "busy"),
    "concurrency_limited": (Unavailable, "no_slot"),
    "moderation_input_image": (Rejected, "photo_refused"),
    "moderation_input_image_copyright": (Rejected, "photo_copyright"),
    "moderation_input_video": (Rejected, "input_refused"),
    "moderation_output_image": (Rejected, "video_refused"),
    "moderation_output_video": (Rejected, "video_refused"),
    "moderation_output_text": (Rejected, "video_text_refused"),
    "moderation_output_audio": (Rejected, "audio_refused"),
    "invalid_input": (Rejected, "input_refused"),
    "no_video": (Rejected, "no_video"),
    "unknown": (Rejected, "refused"),
}
"""What each `error_kind` of the examples is in our words. On a poll, Rejected is a job that failed."""

BY_CODE: dict[object, tuple[type[ProviderError], str]] = {
    50412: (Rejected, "prompt_refused"),
    50413: (Rejected, "prompt_sensitive"),
    50500: (Unavailable, "provider_fault"),
    50501: (Unavailable, "provider_fault"),
    50520: (Rejected, "provider_fault"),
    50521: (Rejected, "provider_fault"),
    50522: (Rejected, "provider_fault"),
    "InternalError": (OutcomeUnknown, "submit_unknown"),
    "InternalServiceTimeout": (OutcomeUnknown, "submit_unknown"),
    None: (Unavailable, "unreachable"),
}
"""Kinds that cover several of our words: the code tells."""


def _cases(action: str) -> list[str]:
    return [name for name, case in CASES.items() if case["request"]["query"]["Action"] == action]


async def _outcome(call: Awaitable[object]) -> object:
    try:
        return await call
    except ProviderError as error:
        return error


@pytest.mark.parametrize("name", _cases("CVSync2AsyncSubmitTask"))
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    async with ProviderServer() as server:
        server.next("submit", Reply(case["response"]["status"], case["response"]["body"]))
        request, photos = _asked(case["request"]["body"])
        outcome = await _outcome(volcengine_at(server.base_url).submit(request, photos, "t1"))

    # Volcengine's default for the seed is always written out.
    _assert_same_call(server, case, body={"seed": -1, **case["request"]["body"]})
    if case["expect"]["state"] == "accepted":
        assert isinstance(outcome, Accepted)
        assert outcome.remote_id == _remote_id(case["request"]["body"]["req_key"], case["expect"]["task_id"])
        assert outcome.status == StillRunning(queued=True)
        assert case["response"]["body"]["request_id"] in outcome.detail
    else:
        kind, word = _meaning(case["expect"])
        assert type(outcome) is kind
        assert isinstance(outcome, ProviderError)
        assert outcome.code == word


async def test_an_id_that_names_no_product_is_asked_for_under_each() -> None:
    running = {"code": 10000, "data": {"status": "generating"}, "message": "Success", "request_id": "r"}
    unknown = running | {"data": {"status": "not_found"}}
    async with ProviderServer() as server:
        server.next("poll", Reply(200, unknown), Reply(200, running))
        status = await volcengine_at(server.base_url).poll("7392", MODELS["jimeng-720p"])
    assert status == StillRunning()
    asked = [json.loads(one.body)["req_key"] for one in server.received]
    assert asked == ["jimeng_t2v_v30", "jimeng_i2v_first_v30"]


@pytest.mark.parametrize("name", _cases("CVSync2AsyncGetResult"))
async def test_every_recorded_poll_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    asked = case["request"]["body"]
    async with ProviderServer() as server:
        server.next("poll", Reply(case["response"]["status"], case["response"]["body"]))
        remote_id = _remote_id(asked["req_key"], asked["task_id"])
        model = MODELS[MODEL_OF[asked["req_key"]]]
        outcome = await _outcome(volcengine_at(server.base_url).poll(remote_id, model))

    _assert_same_call(server, case, body=asked)
    expect = case["expect"]
    match expect["state"]:
        case "queued":
            assert outcome == StillRunning(queued=True)
        case "running":
            assert outcome == StillRunning()
        case "succeeded":
            assert outcome == Succeeded(expect["video_urls"][0], keeps_s=3600)
        case "not_found" | "expired" as word:
            assert isinstance(outcome, Failed)
            assert outcome.code == word
        case _:
            kind, word = _meaning(expect)
            assert isinstance(outcome, Failed if kind is Rejected else kind)
            assert isinstance(outcome, Failed | ProviderError)
            assert outcome.code == word


def test_the_examples_together_name_every_code_of_the_document() -> None:
    codes = {case["expect"].get("code") for case in CASES.values()}
    assert codes >= {50215, 50400, 50411, 50412, 50413, 50429, 50430, 50500, 50501, 50511, 50512, 50513}
    assert codes >= {50516, 50517, 50518, 50521, 50522}


@pytest.mark.parametrize(
    ("code", "word"), [(50514, "input_refused"), (50519, "video_copyright"), (50520, "provider_fault")]
)
async def test_codes_without_an_example_have_a_word_too(code: int, word: str) -> None:
    async with ProviderServer() as server:
        server.next("poll", failure(code, "", 400))
        status = await volcengine_at(server.base_url).poll("1", MODEL)
    assert isinstance(status, Failed)
    assert status.code == word


@pytest.mark.parametrize(
    ("number", "trouble"),
    [
        (50400, "not_activated"),
        (100002, "account"),
        (100003, "key_refused"),
        (100004, "account"),
        (100005, "key_refused"),
        (100006, "wrong_clock"),
        (100007, "account"),
        (100008, "account"),
        (100009, "key_refused"),
        (100010, "key_refused"),
        (100012, "key_refused"),
        (100013, "key_refused"),
        (100024, "key_refused"),
        (100099, "account"),
    ],
)
async def test_every_refusal_of_the_account_says_what_the_operator_has_to_mend(
    number: int, trouble: str
) -> None:
    reply = failure(number, "", 401) if number == 50400 else gateway_error(number, "Word", 400)
    async with ProviderServer() as server:
        server.next("submit", reply)
        server.next("poll", reply)
        adapter = volcengine_at(server.base_url)
        calls = (adapter.submit(WORDS_REQUEST, (), "t1"), adapter.poll("1", MODEL))
        outcomes = [await _outcome(call) for call in calls]
    for outcome in outcomes:
        assert isinstance(outcome, AccountProblem)
        assert (outcome.code, outcome.trouble) == ("account", trouble)
        assert str(number) in outcome.detail


# What is sent


async def test_a_submit_from_words_is_the_body_of_the_signing_vector() -> None:
    vectors = json.loads((FIXTURES / "volcengine_signing.json").read_text(encoding="utf-8"))["vectors"]
    async with ProviderServer() as server:
        await volcengine_at(server.base_url).submit(WORDS_REQUEST, (), "t1")
    sent = server.received[0]
    assert sent.body == vectors[0]["input"]["body"].encode()
    assert sent.headers["X-Date"] == vectors[0]["input"]["x_date"]
    assert sent.headers["X-Content-Sha256"] == vectors[0]["expected"]["payload_sha256"]
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Host"] == server.base_url.removeprefix("http://")
    assert sent.headers["Content-Length"] == str(len(sent.body))


async def test_a_base_url_may_have_a_path_and_a_slash_at_its_end() -> None:
    async with ProviderServer() as server:
        await volcengine_at(server.base_url + "/mirror/").submit(WORDS_REQUEST, (), "t1")
    assert server.received[0].path == "/mirror/"
    assert len(server.jobs) == 1


# From submit to file


async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path) -> None:
    async with ProviderServer(clock=lambda: NOW + timedelta(minutes=1)) as server:
        adapter: Provider = volcengine_at(server.base_url)
        accepted = await adapter.submit(WORDS_REQUEST, (), "t1")
        polls = [await adapter.poll(accepted.remote_id, MODEL) for _ in range(3)]
        assert polls[:2] == [StillRunning(queued=True), StillRunning()]
        assert isinstance(polls[2], Succeeded)
        await adapter.fetch(polls[2].video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert (tmp_path / "video.mp4").read_bytes() == make_mp4()
    assert len(server.jobs) == 1


async def test_a_full_account_says_no_slot() -> None:
    async with ProviderServer(slots=1) as server:
        adapter = volcengine_at(server.base_url)
        await adapter.submit(WORDS_REQUEST, (), "t1")
        with pytest.raises(Unavailable) as refused:
            await adapter.submit(WORDS_REQUEST, (), "t2")
    assert refused.value.code == "no_slot"
    assert len(server.jobs) == 1


@pytest.mark.parametrize(
    ("key", "secret", "now", "trouble"),
    [
        ("AKSOMEBODYELSE", SECRET_ACCESS_KEY, NOW, "key_refused"),
        (ACCESS_KEY_ID, "wrong", NOW, "key_refused"),
        (ACCESS_KEY_ID, SECRET_ACCESS_KEY, NOW + timedelta(minutes=20), "wrong_clock"),
    ],
)
async def test_wrong_keys_and_a_wrong_clock_are_account_problems(
    key: str, secret: str, now: datetime, trouble: str
) -> None:
    server = ProviderServer(credentials=Credentials(key, secret), clock=lambda: now)
    async with server:
        with pytest.raises(AccountProblem) as refused:
            await volcengine_at(server.base_url).submit(WORDS_REQUEST, (), "t1")
    assert refused.value.code == "account"
    assert refused.value.trouble == trouble
    assert server.jobs == {}


def _asked(body: dict[str, Any]) -> tuple[VideoRequest, Sequence[Photo]]:
    """The request of ours, and its photos, that the body of an example comes from."""
    photos: list[Photo] = [PhotoLink(url, 1200, 800) for url in body.get("image_urls", ())]
    photos += [base64.b64decode(text) for text in body.get("binary_data_base64", ())]
    request = VideoRequest(
        model=MODEL_OF[body["req_key"]],
        prompt=body.get("prompt", ""),
        photos=tuple(f"photo-{number}" for number, _ in enumerate(photos)),
        ratio=body.get("aspect_ratio"),
        seconds={121: 5, 241: 10, None: None}[body.get("frames")],
        camera=body.get("template_id"),
        strength=body.get("camera_strength"),
    )
    return request, photos


def _remote_id(req_key: str, task_id: str) -> str:
    """Pro has one key for all it does; of the others the id says which key every poll has to name."""
    return task_id if MODEL_OF[req_key] == "jimeng-pro" else f"{req_key}:{task_id}"


def _meaning(expect: dict[str, Any]) -> tuple[type[ProviderError], str]:
    if expect["error_kind"] in MEANING:
        return MEANING[expect["error_kind"]]
    return BY_CODE[expect.get("code")]


def _assert_same_call(server: ProviderServer, case: dict[str, Any], body: dict[str, Any]) -> None:
    """One call, as in the example, and every header of it that is signed belongs to what really arrived."""
    [sent] = server.received
    example = case["request"]
    assert (sent.method, sent.path) == (example["method"], example["path"])
    assert sent.query == "&".join(f"{name}={value}" for name, value in example["query"].items())
    assert sent.fields == body
    signed = sign(
        Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY),
        host=server.base_url.removeprefix("http://"),
        query=tuple(example["query"].items()),
        body=sent.body,
        at=NOW,
    )
    assert set(signed) == set(example["headers"])
    assert {name: sent.headers[name] for name in signed} == signed
    assert signed["Content-Type"] == example["headers"]["Content-Type"]
