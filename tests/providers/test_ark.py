"""The Ark adapter over HTTP: every example, what is sent, and what a cancel may delete."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from provider_server import Fault, ProviderServer, Reply, make_mp4
from pydantic import SecretStr
from recorded_examples import check_call, outcome_of, read_cases, reply_of

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, SettingsError, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers import build_providers
from bot.providers.ark import Ark, read_poll, read_submit
from bot.providers.ark_models import IDS
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http
from bot.request import VideoModel, VideoRequest, check_request, settle
from bot.settings import IsolatedSettings

CASES = read_cases("ark")
KEY = "YOUR_API_KEY"
LIST = "list_tasks"
NOT_ASKED_FOR = ("submit_15_flex", "submit_reference_sound", "submit_reference_video")
"""A model that has ended, and what no request of ours says: only their answers are read."""
SUBMITS = [
    name for name, case in CASES.items() if case["request"]["method"] == "POST" and name not in NOT_ASKED_FOR
]
POLLS = [name for name, case in CASES.items() if case["request"]["method"] == "GET" and name != LIST]
CANCELS = [name for name, case in CASES.items() if case["request"]["method"] == "DELETE"]
NAMES = {wire_id: name for name, wire_id in IDS.items()}
MODELS = {model.name: model for model in Ark(KEY, http=Http(), fetcher=VideoFetcher()).models}
SEEDANCE = MODELS["ark-seedance-2.0"]
WORDS = settle(VideoRequest(model="ark-seedance-2.0", prompt="a fox"), SEEDANCE)
ID = "cgt-20261120100000-ab001"
DAY_S = 86400

MEANING = {
    "auth": (AccountProblem, "account", "key_refused"),
    "balance": (AccountProblem, "account", "no_balance"),
    "permission": (AccountProblem, "account", "not_activated"),
    "bad_request": (Rejected, "input_refused", None),
    "rate_limited": (Unavailable, "busy", None),
    "provider_error": (OutcomeUnknown, "submit_unknown", None),
    "moderation_input_text": (Rejected, "prompt_refused", None),
    "moderation_input_image": (Rejected, "photo_refused", None),
}
"""What each `error_kind` of a refused submit is in our words, and what it tells the admins."""
MEANING_BY_CODE = {
    "InputImageSensitiveContentDetected.PrivacyInformation": (Rejected, "person_refused", None),
}
FAILURES = {
    "provider_error": "provider_fault",
    "moderation_output_audio": "audio_refused",
    "moderation_output_copyright": "video_copyright",
    "moderation_output_video": "video_refused",
    "canceled": "provider_fault",
}


def _adapter(server: ProviderServer, prefix: str = "/api/v3", **options: Any) -> Ark:
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}))
    return Ark(SecretStr(KEY), server.base_url + prefix, http=Http(), fetcher=fetcher, **options)


def _script(server: ProviderServer, *replies: Reply | Fault) -> None:
    """The answers to the next calls. To this server, whatever is no poll of Volcengine's is a submit."""
    server.next("submit", *replies)


def _asked(body: dict[str, Any]) -> tuple[VideoRequest, list[Photo]]:
    """The request in our words that leads to an example's body."""
    text, *pictures = body["content"]
    ratio = body["ratio"]
    request = VideoRequest(
        model=NAMES[body["model"]],
        prompt=text["text"],
        photos=("file",) * len(pictures),
        photos_as="references" if any("reference" in one["role"] for one in pictures) else "frames",
        ratio=None if ratio == "adaptive" else ratio,
        seconds=body["duration"],
        resolution=body["resolution"],
        seed=body.get("seed"),
        audio=body["generate_audio"],
    )
    return request, [_photo(picture["image_url"]["url"]) for picture in pictures]


def _photo(url: str) -> Photo:
    if url.startswith("data:image/png;base64,"):
        return base64.b64decode(url.partition(",")[2])
    return PhotoLink(url, 1280, 720)


# The examples


def test_every_example_is_replayed() -> None:
    assert {*SUBMITS, *POLLS, *CANCELS, *NOT_ASKED_FOR, LIST} == set(CASES)


@pytest.mark.parametrize("name", SUBMITS)
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    request, photos = _asked(case["request"]["body"])
    assert check_request(request, MODELS[request.model]) == []
    async with ProviderServer() as server:
        _script(server, reply_of(CASES[name]))
        prefix = case["request"]["path"].removesuffix("/contents/generations/tasks")
        outcome = await outcome_of(_adapter(server, prefix).submit(request, photos, "t1"))

    [sent] = server.received
    check_call(sent, case["request"])
    example = dict(case["request"]["body"])
    example.pop("return_last_frame", None)  # a picture that nobody asks for
    assert sent.fields == example
    expect = case["expect"]
    if expect["state"] == "accepted":
        assert outcome == Accepted(expect["task_id"], StillRunning(queued=True))
        return
    kind, word, trouble = MEANING_BY_CODE.get(expect.get("code")) or MEANING[expect["error_kind"]]
    assert type(outcome) is kind
    assert isinstance(outcome, ProviderError)
    assert (outcome.code, getattr(outcome, "trouble", None)) == (word, trouble)
    assert expect.get("code", "HTTP 502") in outcome.detail


@pytest.mark.parametrize("name", NOT_ASKED_FOR)
def test_the_answer_to_a_submit_that_is_never_sent_is_read(name: str) -> None:
    answer = Answer(Call.SUBMIT, 200, CASES[name]["response"]["body"])
    assert read_submit(answer) == Accepted(CASES[name]["expect"]["task_id"])


@pytest.mark.parametrize("name", POLLS)
async def test_every_recorded_poll_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    async with ProviderServer() as server:
        _script(server, reply_of(CASES[name]))
        task_id = case["request"]["path"].rpartition("/")[2]
        outcome = await outcome_of(_adapter(server).poll(task_id, SEEDANCE))

    [sent] = server.received
    check_call(sent, case["request"])
    assert sent.body == b""
    expect = case["expect"]
    match expect["state"]:
        case "queued" | "running" as state:
            assert outcome == StillRunning(queued=state == "queued")
        case "succeeded":
            tokens = case["response"]["body"]["usage"]["completion_tokens"]
            link = expect["video_urls"][0]
            assert outcome == Succeeded(link, expect["url_ttl_s"], billed_tokens=tokens)
        case state:
            assert isinstance(outcome, Failed)
            assert outcome.code == (FAILURES[expect["error_kind"]] if state == "failed" else state)
            assert expect.get("code", "") in outcome.detail


@pytest.mark.parametrize(
    "usage", [{"completion_tokens": -5, "total_tokens": 0}, {"total_tokens": "a lot"}, 7]
)
def test_a_number_of_tokens_that_cannot_be_is_none(usage: object) -> None:
    fields = {"status": "succeeded", "content": {"video_url": "https://x.example/a.mp4"}, "usage": usage}
    outcome = read_poll(Answer(Call.POLL, 200, fields))
    assert isinstance(outcome, Succeeded)
    assert outcome.billed_tokens is None


def test_a_job_in_the_list_reads_like_an_answer() -> None:
    [job] = CASES[LIST]["response"]["body"]["items"]
    assert read_poll(Answer(Call.POLL, 200, job)) == StillRunning()


# Cancelling


@pytest.mark.parametrize(
    ("name", "after", "stopped"),
    [
        ("cancel_queued", "query_cancelled", True),
        ("cancel_running", "query_running", False),
        ("cancel_not_found", "query_not_found", False),
    ],
)
async def test_a_queued_job_is_deleted_and_polled_again(name: str, after: str, stopped: bool) -> None:
    request = CASES[name]["request"]
    async with ProviderServer() as server:
        _script(server, reply_of(CASES["query_queued"]), reply_of(CASES[name]), reply_of(CASES[after]))
        task_id = request["path"].rpartition("/")[2]
        assert await _adapter(server).cancel(task_id, SEEDANCE) is stopped
    check_call(server.received[1], request)
    assert [sent.method for sent in server.received] == ["GET", "DELETE", "GET"]


@pytest.mark.parametrize("name", [name for name in POLLS if name != "query_queued"])
async def test_nothing_is_deleted_but_a_queued_job(name: str) -> None:
    async with ProviderServer() as server:
        _script(server, reply_of(CASES[name]))
        stopped = await _adapter(server).cancel(ID, SEEDANCE)
    assert stopped is (name == "query_cancelled")
    assert [sent.method for sent in server.received] == ["GET"]


@pytest.mark.parametrize(
    ("word", "told"), [("pending", {}), ("submitted", {}), ("queued", {"data": {"status": "succeeded"}})]
)
async def test_a_relay_that_may_be_behind_its_provider_deletes_nothing(word: str, told: object) -> None:
    behind = {
        "id": ID,
        "status": word,
        "response": told and {"status": "succeeded", "video_url": "https://x/y"},
    }
    async with ProviderServer() as server:
        _script(server, Reply(200, behind))
        assert await _adapter(server).cancel(ID, SEEDANCE) is False
    assert [sent.method for sent in server.received] == ["GET"]


@pytest.mark.parametrize("step", [Fault.CUT, Fault.LOST, Reply(404, "<html>no DELETE here</html>")])
@pytest.mark.parametrize(("after", "stopped"), [("query_cancelled", True), ("query_queued", False)])
async def test_whatever_becomes_of_the_delete_the_poll_after_it_decides(
    step: Reply | Fault, after: str, stopped: bool
) -> None:
    async with ProviderServer() as server:
        _script(server, reply_of(CASES["query_queued"]))
        server.interfere = lambda _, sent: step if sent.method == "DELETE" else reply_of(CASES[after])
        assert await _adapter(server).cancel(ID, SEEDANCE) is stopped


@pytest.mark.parametrize(
    "unlucky", [Reply(502, "<html>"), Reply(200, "<html>"), Reply(429, ""), Reply(200, {})]
)
async def test_a_cancel_whose_effect_cannot_be_read_is_asked_for_again(unlucky: Reply) -> None:
    async with ProviderServer() as server:
        names = ("query_queued", "cancel_queued", "query_cancelled")
        queued, deleted, cancelled = (reply_of(CASES[name]) for name in names)
        _script(server, queued, deleted, unlucky, cancelled)
        assert isinstance(await outcome_of(_adapter(server).cancel(ID, SEEDANCE)), Unavailable)
        assert await _adapter(server).cancel(ID, SEEDANCE) is True
    assert [sent.method for sent in server.received] == ["GET", "DELETE", "GET", "GET"]


async def test_a_cancel_that_cannot_poll_is_an_error() -> None:
    async with ProviderServer() as server:
        server.interfere = lambda _kind, _sent: Fault.CUT
        assert isinstance(await outcome_of(_adapter(server).cancel(ID, SEEDANCE)), Unavailable)


# What is sent


@pytest.mark.parametrize(
    ("prompt", "sent_text"),
    [
        ("a fox --rs 720p --dur 30", "a fox –rs 720p –dur 30"),
        ("well--known, --- and -1", "well–known, – and -1"),
        ("a fox", "a fox"),
    ],
)
async def test_no_text_flag_is_left_in_a_prompt(prompt: str, sent_text: str) -> None:
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).submit(WORDS.model_copy(update={"prompt": prompt}), (), "t1"))
    assert server.received[0].fields["content"] == [{"type": "text", "text": sent_text}]


async def test_a_photo_of_each_format_names_it_in_small_letters() -> None:
    request = WORDS.model_copy(update={"photos": ("a", "b"), "ratio": None})
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).submit(request, (b"\xff\xd8\xff a", b"\x89PNG a"), "t1"))
    content: Any = server.received[0].fields["content"]
    starts = [one["image_url"]["url"].partition(",")[0] for one in content[1:]]
    assert starts == ["data:image/jpeg;base64", "data:image/png;base64"]
    assert [one["role"] for one in content[1:]] == ["first_frame", "last_frame"]


async def test_a_submit_has_our_id_for_arks_support() -> None:
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).submit(WORDS, (), "task-7"))
    assert server.received[0].headers["X-Client-Request-Id"] == "task-7"


async def test_an_id_is_one_part_of_the_path_whatever_it_holds() -> None:
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).poll("../a?b#c%", SEEDANCE))
    assert server.received[0].path == "/api/v3/contents/generations/tasks/..%2Fa%3Fb%23c%25"


@pytest.mark.parametrize(
    ("model", "asked", "problem"),
    [
        ("ark-seedance-2.5", {"seconds": 30}, None),
        ("ark-seedance-2.5", {"resolution": "4k"}, "no_resolution"),
        ("ark-seedance-2.0", {"seconds": 16}, "no_seconds"),
        ("ark-seedance-2.0", {"resolution": "4k", "seed": 2**32 - 1, "audio": True}, None),
        ("ark-seedance-2.0-fast", {"resolution": "1080p"}, "no_resolution"),
        ("ark-seedance-2.0-mini", {"camera": "robo_arm", "photos": ("a",)}, "no_camera"),
        ("ark-seedance-2.0", {"photos": ("a",) * 9, "photos_as": "references", "ratio": "21:9"}, None),
        ("ark-seedance-2.0", {"photos": ("a",) * 10, "photos_as": "references"}, "too_many_references"),
    ],
)
def test_the_models_take_what_the_documents_allow(
    model: str, asked: dict[str, object], problem: str | None
) -> None:
    request = VideoRequest.model_validate({"model": model, "prompt": "a fox", **asked})
    found = [one.code for one in check_request(request, MODELS[model])]
    assert found == ([] if problem is None else [problem])


# What is offered


def _built(**options: str) -> Ark:
    settings = IsolatedSettings.model_validate({"ark_api_key": KEY, **options})
    [ark] = [one for one in build_providers(settings, lambda: pytest.fail("no clock")) if one.name == "ark"]
    assert isinstance(ark, Ark)
    return ark


async def test_an_operator_chooses_models_and_their_ids() -> None:
    async with ProviderServer() as server:
        ark = _built(
            ark_base_url=server.base_url,
            ark_models="ark-seedance-2.0-mini, ark-seedance-2.0 = ep-20261120-abc",
        )
        await outcome_of(ark.submit(WORDS, (), "t1"))
        await outcome_of(ark.submit(WORDS.model_copy(update={"model": "ark-seedance-2.0-mini"}), (), "t1"))
    assert [model.name for model in ark.models] == ["ark-seedance-2.0", "ark-seedance-2.0-mini"]
    assert [sent.fields["model"] for sent in server.received] == [
        "ep-20261120-abc",
        "doubao-seedance-2-0-mini-260615",
    ]


def test_all_are_offered_unless_some_are_named_and_unknown_ones_are_an_error() -> None:
    assert [model.name for model in _built().models] == list(IDS)
    with pytest.raises(SettingsError, match=r"ARK_MODELS: there is no seedance-3\. There are: ark-seed"):
        _built(ark_models="seedance-3")


@pytest.mark.parametrize(
    ("base_url", "company"),
    [
        ("https://ark.cn-beijing.volces.com/api/v3", "Volcengine (ByteDance)"),
        ("https://ark.ap-southeast.bytepluses.com/api/v3", "BytePlus (ByteDance)"),
        ("https://relay.example/volc/v1", "the relay relay.example"),
        ("https://notvolces.com/volc/v1", "the relay notvolces.com"),
    ],
)
def test_people_read_who_receives_their_photo(base_url: str, company: str) -> None:
    assert {model.company for model in _built(ark_base_url=base_url).models} == {company}


def test_no_seedance_takes_photos_of_real_people() -> None:
    assert not any(model.takes_people for model in MODELS.values())


# From submit to file


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
async def test_a_job_goes_from_submit_to_a_file(tmp_path: Path, model: VideoModel) -> None:
    async with ProviderServer() as server:
        done = CASES["query_done"]["response"]["body"] | {
            "content": {"video_url": f"{server.base_url}/videos/7.mp4?sign=s3cr3t-7"}
        }
        _script(server, reply_of(CASES["submit_t2v"]), reply_of(CASES["query_running"]), Reply(200, done))
        adapter: Provider = _adapter(server)
        request = settle(VideoRequest(model=model.name, prompt="a fox"), model)
        accepted = await adapter.submit(request, (), "t1")
        assert await adapter.poll(accepted.remote_id, model) == StillRunning()
        status = await adapter.poll(accepted.remote_id, model)
        assert isinstance(status, Succeeded)
        await adapter.fetch(status.video_url, tmp_path / "video.mp4")
        await adapter.close()
    assert await asyncio.to_thread((tmp_path / "video.mp4").read_bytes) == make_mp4()
