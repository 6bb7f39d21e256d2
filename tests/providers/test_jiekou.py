"""The JieKou adapter over HTTP: every recorded example, and what is sent."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from provider_server import ProviderServer, Received, Reply, make_mp4
from pydantic import SecretStr

from bot.errors import AccountProblem, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers.jiekou import JieKou, read_poll
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http
from bot.request import VideoModel, VideoRequest, check_request, settle

CASES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "fixtures" / "jiekou").glob("*.json"))
    # Those are replayed by test_real_answers.py.
    if not path.stem.startswith("real_")
}
WEBHOOK_EVENT = "novita_webhook_event"
"""The one example that a provider would send to us."""
SUBMITS = [name for name, case in CASES.items() if case["request"]["path"].endswith("2video")]
LOOKS = [name for name, case in CASES.items() if case["request"]["method"] == "GET"]
MODELS = {model.name: model for model in JieKou.models}
VEO_3 = MODELS["veo-3"]
KEY = "YOUR_API_KEY"

MEANING = {
    "auth": (AccountProblem, "account", "key_refused"),
    "balance": (AccountProblem, "account", "no_balance"),
    "rate_limited": (Unavailable, "busy", None),
    "provider_error": (Unavailable, "provider_fault", None),
}
"""What each `error_kind` of a refused submit is in our words, and what it tells the admins."""
MEANING_BY_CODE = {
    "INVALID_REQUEST_BODY": (Rejected, "input_refused", None),
    "MODEL_NOT_FOUND": (AccountProblem, "account", "account"),
}


def _adapter(server: ProviderServer) -> JieKou:
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}))
    return JieKou(SecretStr(KEY), server.base_url + "/", http=Http(), fetcher=fetcher)


def _reply(case: dict[str, Any]) -> Reply:
    return Reply(case["response"]["status"], case["response"]["body"])


def _asked(path: str, body: dict[str, Any]) -> tuple[VideoRequest, list[Photo]]:
    """The request in our words that leads to an example's path and body."""
    family = path.rpartition("/")[2].rpartition("-")[0]
    names = {
        "veo-3.0-generate-preview": "veo-3",
        "veo-3.1-generate": "veo-3.1",
        "veo-3.1-fast-generate": "veo-3.1-fast",
    }
    fields = ("image_url", "image_base64", "image", "last_image")
    photos = [_photo(body[field]) for field in fields if field in body]
    request = VideoRequest(
        model=names[family],
        prompt=body["prompt"],
        photos=("file",) * len(photos),
        ratio=body.get("aspect_ratio"),
        seconds=body.get("duration_seconds"),
        resolution=body.get("resolution"),
        seed=body.get("seed"),
        negative_prompt=body.get("negative_prompt"),
        audio=body["generate_audio"],
        people=body.get("person_generation"),
        enhance=body.get("enhance_prompt"),
    )
    return request, photos


def _photo(text: str) -> Photo:
    return PhotoLink(text, 1280, 720) if text.startswith("http") else base64.b64decode(text)


async def _outcome(call: Awaitable[object]) -> object:
    try:
        return await call
    except ProviderError as error:
        return error


def _assert_same_call(sent: Received, expected: dict[str, Any]) -> None:
    query = "&".join(f"{name}={value}" for name, value in expected["query"].items())
    assert (sent.method, sent.path, sent.query) == (expected["method"], expected["path"], query)
    assert {name: sent.headers.get(name) for name in expected["headers"]} == expected["headers"]
    assert ("Content-Type" in sent.headers) == ("Content-Type" in expected["headers"])


def test_every_example_is_replayed() -> None:
    assert {*SUBMITS, *LOOKS, WEBHOOK_EVENT} == set(CASES)


@pytest.mark.parametrize("name", SUBMITS)
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    request, photos = _asked(case["request"]["path"], case["request"]["body"])
    assert check_request(request, MODELS[request.model]) == []
    async with ProviderServer() as server:
        server.next("submit", _reply(case))
        outcome = await _outcome(_adapter(server).submit(request, photos, "t1"))

    [sent] = server.received
    _assert_same_call(sent, case["request"])
    # One video, whether an example leaves that open or asks for four; and no webhook, which is Novita's.
    example = {name: value for name, value in case["request"]["body"].items() if name != "extra"}
    assert sent.fields == {**example, "sample_count": 1}
    expect = case["expect"]
    if expect["state"] == "accepted":
        assert outcome == Accepted(expect["task_id"], StillRunning(queued=True))
    else:
        assert expect["state"] == "rejected"
        kind, word, trouble = MEANING.get(expect["error_kind"]) or MEANING_BY_CODE[expect["code"]]
        assert type(outcome) is kind
        assert isinstance(outcome, ProviderError)
        assert (outcome.code, getattr(outcome, "trouble", None)) == (word, trouble)
        assert expect["code"] in outcome.detail


@pytest.mark.parametrize("name", LOOKS)
async def test_every_recorded_look_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    async with ProviderServer() as server:
        server.next("submit", _reply(case))  # to this server, whatever is no look of Volcengine's
        look = _adapter(server).poll(case["request"]["query"]["task_id"], VEO_3)
        outcome = await _outcome(look)

    [sent] = server.received
    _assert_same_call(sent, case["request"])
    assert sent.body == b""
    expect = case["expect"]
    match expect["state"]:
        case "queued":
            assert outcome == StillRunning(queued=True)
        case "running":
            assert outcome == StillRunning(expect["progress"] / 100)
        case "succeeded":
            assert outcome == Succeeded(expect["video_urls"][0], expect["url_ttl_s"])
        case "failed" | "not_found" as state:
            words = {
                "moderation": "refused",
                "moderation_input_image": "photo_refused",
                "unknown": "provider_fault",
                None: "not_found",
            }
            assert isinstance(outcome, Failed)
            word = "person_refused" if name.endswith("real_person") else words[expect.get("error_kind")]
            assert outcome.code == word
            assert (outcome.code == "not_found") == (state == "not_found")
        case state:
            assert state == "unknown"
            if "error_kind" in expect:
                assert isinstance(outcome, Unavailable)
                assert outcome.code == "unreachable"
            else:
                assert outcome == StillRunning()


def test_the_payload_of_a_webhook_reads_like_an_answer() -> None:
    case = CASES[WEBHOOK_EVENT]
    status = read_poll(Answer(Call.POLL, 200, case["request"]["body"]["payload"]))
    assert status == Succeeded(case["expect"]["video_urls"][0], 3600)


# What is sent


@pytest.mark.parametrize("model", ["veo-3.1", "veo-3.1-fast"])
async def test_veo_3_1_takes_two_photos_as_bare_base64(model: str) -> None:
    request = VideoRequest(model=model, prompt="a fox", photos=("a", "b"), ratio="9:16", audio=True)
    assert check_request(request, MODELS[model]) == []
    async with ProviderServer() as server:
        await _outcome(_adapter(server).submit(settle(request, MODELS[model]), (b"first", b"last"), "t1"))
    [sent] = server.received
    assert sent.path == f"/v3/async/{model}-generate-img2video"
    assert sent.fields == {
        "prompt": "a fox",
        "image": "Zmlyc3Q=",
        "last_image": "bGFzdA==",
        "aspect_ratio": "9:16",
        "duration_seconds": 8,
        "resolution": "720p",
        "enhance_prompt": True,
        "generate_audio": True,
        "person_generation": "allow_adult",
        "sample_count": 1,
    }


@pytest.mark.parametrize("model", JieKou.models, ids=lambda model: model.name)
async def test_words_have_a_path_of_their_own_and_no_sound_unless_asked_for(model: VideoModel) -> None:
    request = VideoRequest(model=model.name, prompt="a fox", seed=0)
    async with ProviderServer() as server:
        await _outcome(_adapter(server).submit(request, (), "t1"))
    [sent] = server.received
    assert sent.path.endswith("-text2video")
    assert not {"image", "image_url", "image_base64"} & set(sent.fields)
    assert sent.fields["generate_audio"] is False
    assert sent.fields["seed"] == 0


@pytest.mark.parametrize(
    ("model", "asked", "problem"),
    [
        ("veo-3", {"seconds": 5}, "no_seconds"),
        ("veo-3", {"ratio": "1:1"}, "no_ratio"),
        ("veo-3", {"photos": ("a", "b")}, "no_first_last"),
        ("veo-3", {"people": "allow_all"}, "people_unknown"),
        ("veo-3", {"seed": 2**32}, "seed_out_of_range"),
        ("veo-3", {"seed": 2**32 - 1, "enhance": False, "seconds": 4}, None),
        ("veo-3", {"prompt": "fox " * 1000}, None),
        ("veo-3.1", {"enhance": False}, "enhance_always"),
        ("veo-3.1", {"photos": ("a", "b"), "ratio": "9:16"}, None),
    ],
)
def test_the_models_take_what_the_documents_allow(
    model: str, asked: dict[str, object], problem: str | None
) -> None:
    request = VideoRequest.model_validate({"model": model, "prompt": "a fox", **asked})
    found = [one.code for one in check_request(request, MODELS[model])]
    assert found == ([] if problem is None else [problem])


async def test_an_id_is_encoded_whatever_it_holds() -> None:
    async with ProviderServer() as server:
        await _outcome(_adapter(server).poll("a&b=c#d+e%", VEO_3))
    assert server.received[0].query == "task_id=a%26b%3Dc%23d%2Be%25"


# From submit to file


async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path) -> None:
    async with ProviderServer() as server:
        video = {"video_url": f"{server.base_url}/videos/7.mp4?sign=s3cr3t-7", "video_type": "mp4"}
        done = {"task": {"status": "TASK_STATUS_SUCCEED"}, "videos": [video]}
        server.next("submit", Reply(200, {"task_id": "7"}), Reply(200, done))
        adapter: Provider = _adapter(server)
        request = settle(VideoRequest(model="veo-3", prompt="a fox"), VEO_3)
        accepted = await adapter.submit(request, (), "t1")
        status = await adapter.poll(accepted.remote_id, VEO_3)
        assert isinstance(status, Succeeded)
        await adapter.fetch(status.video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert await asyncio.to_thread((tmp_path / "video.mp4").read_bytes) == make_mp4()
