"""The Volcengine adapter over HTTP: every recorded example, and what no example shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from provider_server import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    ProviderServer,
    Reply,
    failure,
    gateway_error,
    make_mp4,
)
from pydantic import SecretStr

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Provider, StillRunning, Succeeded
from bot.providers._fetch import VideoFetcher
from bot.providers._http import Http
from bot.providers._signing import Credentials
from bot.providers.volcengine import Volcengine
from bot.request import VideoRequest, check_request, settle

FIXTURES = Path(__file__).parent / "fixtures"
CASES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((FIXTURES / "volcengine").glob("*.json"))
}
MODEL = Volcengine.models[0]
NOW = datetime(2025, 9, 1, 12, 43, 4, tzinfo=UTC)
WORDS_REQUEST = VideoRequest(
    model="jimeng-pro", prompt="千军万马", ratio="16:9", seconds=5, resolution="1080p"
)
PHOTO = base64.b64decode(CASES["submit_i2v_base64"]["request"]["body"]["binary_data_base64"][0])

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
"""What each `error_kind` of the examples is in our words. On a look, Rejected is a job that failed."""

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


def _adapter(base_url: str) -> Volcengine:
    return Volcengine(
        ACCESS_KEY_ID,
        SecretStr(SECRET_ACCESS_KEY),
        base_url,
        http=Http(),
        fetcher=VideoFetcher(frozenset({"127.0.0.1"})),
        clock=lambda: NOW,
    )


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
        outcome = await _outcome(_adapter(server.base_url).submit(WORDS_REQUEST, (), "t1"))

    _assert_same_call(server, case)
    if case["expect"]["state"] == "accepted":
        assert isinstance(outcome, Accepted)
        assert outcome.remote_id == case["expect"]["task_id"]
        assert outcome.status == StillRunning(queued=True)
        assert case["response"]["body"]["request_id"] in outcome.detail
    else:
        kind, word = _meaning(case["expect"])
        assert type(outcome) is kind
        assert isinstance(outcome, ProviderError)
        assert outcome.code == word


@pytest.mark.parametrize("name", _cases("CVSync2AsyncGetResult"))
async def test_every_recorded_look_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    asked = case["request"]["body"]
    async with ProviderServer() as server:
        server.next("look", Reply(case["response"]["status"], case["response"]["body"]))
        look = _adapter(server.base_url).poll(f"{asked['req_key']}:{asked['task_id']}", MODEL)
        outcome = await _outcome(look)

    _assert_same_call(server, case)
    assert server.received[0].fields == asked
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
        server.next("look", failure(code, "", 400))
        status = await _adapter(server.base_url).poll("1", MODEL)
    assert isinstance(status, Failed)
    assert status.code == word


@pytest.mark.parametrize("number", [100007, 100008, 100012, 100024, 100099])
async def test_a_gateway_refusal_is_the_operators_business(number: int) -> None:
    async with ProviderServer() as server:
        server.next("submit", gateway_error(number, "Word", 400))
        server.next("look", gateway_error(number, "Word", 400))
        adapter = _adapter(server.base_url)
        for call in (adapter.submit(WORDS_REQUEST, (), "t1"), adapter.poll("1", MODEL)):
            outcome = await _outcome(call)
            assert isinstance(outcome, AccountProblem)
            assert str(number) in outcome.detail


# What is sent


async def test_a_submit_from_words_is_the_body_of_the_signing_vector() -> None:
    vectors = json.loads((FIXTURES / "volcengine_signing.json").read_text(encoding="utf-8"))["vectors"]
    async with ProviderServer() as server:
        await _adapter(server.base_url).submit(WORDS_REQUEST, (), "t1")
    sent = server.received[0]
    assert sent.body == vectors[0]["input"]["body"].encode()
    assert sent.headers["X-Date"] == vectors[0]["input"]["x_date"]
    assert sent.headers["X-Content-Sha256"] == vectors[0]["expected"]["payload_sha256"]
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Host"] == server.base_url.removeprefix("http://")
    assert sent.headers["Content-Length"] == str(len(sent.body))


async def test_a_submit_with_a_photo_is_the_recorded_one_and_has_no_ratio() -> None:
    request = WORDS_REQUEST.model_copy(update={"photos": ("file",), "seconds": 10, "ratio": "16:9"})
    async with ProviderServer() as server:
        await _adapter(server.base_url).submit(request, (PHOTO,), "t1")
    assert server.received[0].fields == CASES["submit_i2v_base64"]["request"]["body"]


async def test_a_photo_needs_no_prompt_and_then_none_is_sent() -> None:
    request = settle(VideoRequest(model="jimeng-pro", photos=("file",), ratio="9:16"), MODEL)
    assert check_request(request, MODEL) == []
    async with ProviderServer() as server:
        await _adapter(server.base_url).submit(request, (PHOTO,), "t1")
    sent = server.received[0].fields
    assert set(sent) == {"req_key", "binary_data_base64", "seed", "frames"}
    assert "prompt" not in CASES["submit_i2v_no_prompt"]["request"]["body"]


async def test_seed_ratio_and_seconds_reach_the_provider() -> None:
    request = WORDS_REQUEST.model_copy(update={"seed": 7, "ratio": "21:9", "seconds": 10})
    async with ProviderServer() as server:
        await _adapter(server.base_url).submit(request, (), "t1")
    sent = server.received[0].fields
    assert (sent["seed"], sent["aspect_ratio"], sent["frames"]) == (7, "21:9", 241)


async def test_a_photo_of_the_largest_size_arrives_whole() -> None:
    photo = PHOTO + b"\0" * (4_700_000 - len(PHOTO))
    request = WORDS_REQUEST.model_copy(update={"photos": ("file",), "ratio": None})
    async with ProviderServer() as server:
        await _adapter(server.base_url).submit(request, (photo,), "t1")
    sent = server.received[0].fields["binary_data_base64"]
    assert isinstance(sent, list)
    assert base64.b64decode(sent[0]) == photo


async def test_a_base_url_may_have_a_path_and_a_slash_at_its_end() -> None:
    async with ProviderServer() as server:
        await _adapter(server.base_url + "/mirror/").submit(WORDS_REQUEST, (), "t1")
    assert server.received[0].path == "/mirror/"
    assert len(server.jobs) == 1


# From submit to file


async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path) -> None:
    async with ProviderServer(clock=lambda: NOW + timedelta(minutes=1)) as server:
        adapter: Provider = _adapter(server.base_url)
        accepted = await adapter.submit(WORDS_REQUEST, (), "t1")
        looks = [await adapter.poll(accepted.remote_id, MODEL) for _ in range(3)]
        assert looks[:2] == [StillRunning(queued=True), StillRunning()]
        assert isinstance(looks[2], Succeeded)
        await adapter.fetch(looks[2].video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert (tmp_path / "video.mp4").read_bytes() == make_mp4()
    assert len(server.jobs) == 1


async def test_a_full_account_says_no_slot() -> None:
    async with ProviderServer(slots=1) as server:
        adapter = _adapter(server.base_url)
        await adapter.submit(WORDS_REQUEST, (), "t1")
        with pytest.raises(Unavailable) as refused:
            await adapter.submit(WORDS_REQUEST, (), "t2")
    assert refused.value.code == "no_slot"
    assert len(server.jobs) == 1


@pytest.mark.parametrize(
    ("key", "secret", "now", "says"),
    [
        ("AKSOMEBODYELSE", SECRET_ACCESS_KEY, NOW, "access key id"),
        (ACCESS_KEY_ID, "wrong", NOW, "secret access key"),
        (ACCESS_KEY_ID, SECRET_ACCESS_KEY, NOW + timedelta(minutes=20), "clock"),
    ],
)
async def test_wrong_keys_and_a_wrong_clock_are_account_problems(
    key: str, secret: str, now: datetime, says: str
) -> None:
    server = ProviderServer(credentials=Credentials(key, secret), clock=lambda: now)
    async with server:
        with pytest.raises(AccountProblem) as refused:
            await _adapter(server.base_url).submit(WORDS_REQUEST, (), "t1")
    assert refused.value.code == "account"
    assert says in refused.value.detail
    assert server.jobs == {}


def _meaning(expect: dict[str, Any]) -> tuple[type[ProviderError], str]:
    if expect["error_kind"] in MEANING:
        return MEANING[expect["error_kind"]]
    return BY_CODE[expect.get("code")]


def _assert_same_call(server: ProviderServer, case: dict[str, Any]) -> None:
    """Method, path, query and headers are those of the example; of the signed ones, that they are there."""
    [sent] = server.received
    expected = case["request"]
    assert (sent.method, sent.path) == (expected["method"], expected["path"])
    assert sent.query == "&".join(f"{name}={value}" for name, value in expected["query"].items())
    assert sent.headers["Content-Type"] == expected["headers"]["Content-Type"]
    assert set(expected["headers"]) <= set(sent.headers)
    assert sent.fields["req_key"] == expected["body"]["req_key"]
