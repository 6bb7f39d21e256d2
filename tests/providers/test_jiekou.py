"""The JieKou adapter over HTTP: every recorded example, and what is sent."""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from provider_server import ProviderServer, Reply, make_mp4
from pydantic import SecretStr
from recorded_examples import check_call, outcome_of, read_cases, reply_of

from bot.errors import AccountProblem, ProviderError, Rejected, SettingsError, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, StillRunning, Succeeded
from bot.providers import build_models, build_providers
from bot.providers.jiekou import JieKou, read_poll
from bot.providers.jiekou_products import MODELS as ALL_MODELS
from bot.providers.jiekou_products import PRODUCTS, Product
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http
from bot.request import Mode, VideoModel, VideoRequest, check_request, resolutions_for, seconds_for, settle
from bot.settings import IsolatedSettings

CASES = read_cases("jiekou")
WEBHOOK_EVENT = "novita_webhook_event"
"""The one example that a provider would send to us."""
NOT_BUILT = {
    "submit_seedance15_i2v_flex",  # its maker ended it
    "submit_vidu_q2_multiframe",  # a mode of its own: photos in their order, each with words
    "submit_vidu_q2_subjects",
    "submit_wan26_i2v_recording",  # a mode of its own: a recording
}
"""Examples of what the bot does not ask for."""
POLLS = [name for name, case in CASES.items() if case["request"]["method"] == "GET"]
SUBMITS = sorted({*CASES} - {*POLLS} - NOT_BUILT - {WEBHOOK_EVENT})
MODELS = {model.name: model for model in ALL_MODELS}
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
    "MODEL_NOT_FOUND": (AccountProblem, "model_gone", "model_gone"),
}


def _adapter(server: ProviderServer) -> JieKou:
    fetcher = VideoFetcher(frozenset({"127.0.0.1"}))
    return JieKou(SecretStr(KEY), server.base_url + "/", http=Http(), fetcher=fetcher)


def _asked(path: str, body: dict[str, Any]) -> tuple[VideoRequest, list[Photo]]:
    """The request in our words that leads to an example's path and body.

    Read with a table of its own, and not with that of the adapter."""
    flat = {**body, **body.get("input", {}), **body.get("parameters", {})}
    if "size" in flat:
        flat["resolution"], flat["aspect_ratio"] = WAN_SIZES[flat["size"]]
    frames = ("image_url", "image_base64", "image", "img_url", "last_image", "end_image")
    pictures = [flat[field] for field in frames if field in flat]
    references = [
        picture if isinstance(picture, str) else picture["image"]
        for picture in flat.get("reference_images", ())
    ]
    wire = path.rpartition("/")[2]
    references += flat.get("images", []) if wire == "kling-o1-ref2v" else []
    ratio = flat.get("aspect_ratio", flat.get("ratio"))
    seconds = flat.get("duration", flat.get("duration_seconds"))
    request = VideoRequest(
        model="seedance-2.0-fast" if flat.get("fast") else OURS[wire],
        prompt=flat["prompt"],
        photos=("file",) * len(pictures + references),
        photos_as="references" if references else "frames",
        ratio=None if ratio == "adaptive" else ratio,
        seconds=None if seconds is None else int(seconds),
        resolution=flat["resolution"].lower() if "resolution" in flat else None,
        seed=flat.get("seed"),
        negative_prompt=flat.get("negative_prompt"),
        audio=flat.get("generate_audio", flat.get("sound", flat.get("audio"))),
        people=flat.get("person_generation"),
        enhance=flat.get("enhance_prompt", flat.get("enable_prompt_expansion", flat.get("prompt_extend"))),
        guidance=flat.get("cfg_scale"),
        count=flat.get("sample_count"),
        off_peak=flat.get("off_peak"),
        several_shots={"multi": True, "single": None}[flat.get("shot_type", "single")],
    )
    return request, [_photo(text) for text in pictures + references]


OURS = {
    "veo-3.0-generate-preview-text2video": "veo-3",
    "veo-3.0-generate-preview-img2video": "veo-3",
    "veo-3.1-generate-img2video": "veo-3.1",
    "veo-3.1-fast-generate-text2video": "veo-3.1-fast",
    "veo-3.1-fast-generate-img2video": "veo-3.1-fast",
    "seedance-2.0": "seedance-2.0",
    "kling-v3.0-std-t2v": "kling-3.0",
    "kling-v3.0-std-i2v": "kling-3.0",
    "kling-v3.0-pro-i2v": "kling-3.0-pro",
    "kling-v2.6-pro-t2v": "kling-2.6",
    "kling-2.5-turbo-t2v": "kling-2.5",
    "kling-2.5-turbo-i2v": "kling-2.5",
    "kling-o1-i2v": "kling-o1",
    "kling-o1-ref2v": "kling-o1",
    "minimax-hailuo-2.3-t2v": "hailuo-2.3",
    "minimax-hailuo-2.3-i2v": "hailuo-2.3",
    "minimax-hailuo-2.3-fast-i2v": "hailuo-2.3-fast",
    "wan2.6-t2v": "wan-2.6",
    "wan2.6-i2v": "wan-2.6",
    "grok-imagine-video-t2v": "grok",
    "grok-imagine-video-i2v": "grok",
    "vidu-q3-pro-t2v": "vidu-q3",
}
WAN_SIZES = {"1080*1920": ("1080p", "9:16")}


def _photo(text: str) -> Photo:
    return (
        PhotoLink(text, 1280, 720)
        if text.startswith("http")
        else base64.b64decode(text.partition(",")[2] or text)
    )


def _said_anyway(request: VideoRequest, example: dict[str, Any]) -> dict[str, Any]:
    """What the bot says although an example leaves it open: one video, and no sound."""
    if request.model.startswith("veo"):
        return {"sample_count": 1}
    if request.model.startswith("kling-3.0") or request.model == "kling-2.6":
        return {"sound": False}
    return {}


def test_every_example_is_replayed() -> None:
    assert set(CASES) > NOT_BUILT
    assert {OURS[case.rpartition("/")[2]] for case in _paths()} | {"seedance-2.0-fast"} == set(MODELS)


def _paths() -> set[str]:
    return {CASES[name]["request"]["path"] for name in SUBMITS}


@pytest.mark.parametrize("name", SUBMITS)
async def test_every_recorded_submit_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    request, photos = _asked(case["request"]["path"], case["request"]["body"])
    # The bot orders several one by one.
    single = request.model_copy(update={"count": None})
    assert check_request(single, MODELS[request.model]) == []
    async with ProviderServer() as server:
        server.next("submit", reply_of(case))
        outcome = await outcome_of(_adapter(server).submit(request, photos, "t1"))

    [sent] = server.received
    check_call(sent, case["request"])
    # No webhook, which is Novita's, and no picture of the end, which nobody sees.
    unasked = {"extra", "return_last_frame"}
    example = {name: value for name, value in case["request"]["body"].items() if name not in unasked}
    assert sent.fields == {**_said_anyway(request, example), **example}
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


@pytest.mark.parametrize("name", POLLS)
async def test_every_recorded_poll_means_what_its_example_says(name: str) -> None:
    case = CASES[name]
    async with ProviderServer() as server:
        server.next("submit", reply_of(case))  # to this server, whatever is no poll of Volcengine's
        poll = _adapter(server).poll(case["request"]["query"]["task_id"], VEO_3)
        outcome = await outcome_of(poll)

    [sent] = server.received
    check_call(sent, case["request"])
    assert sent.body == b""
    expect = case["expect"]
    match expect["state"]:
        case "queued":
            assert outcome == StillRunning(queued=True)
        case "running":
            assert outcome == StillRunning(expect["progress"] / 100)
        case "succeeded":
            first, *further = expect["video_urls"]
            assert outcome == Succeeded(first, expect["url_ttl_s"], further=tuple(further))
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
        await outcome_of(_adapter(server).submit(settle(request, MODELS[model]), (b"first", b"last"), "t1"))
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


@pytest.mark.parametrize(
    "model", [model for model in ALL_MODELS if model.name.startswith("veo")], ids=lambda model: model.name
)
async def test_words_have_a_path_of_their_own_and_no_sound_unless_asked_for(model: VideoModel) -> None:
    request = VideoRequest(model=model.name, prompt="a fox", seed=0)
    async with ProviderServer() as server:
        await outcome_of(_adapter(server).submit(request, (), "t1"))
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
        ("veo-3.1", {"photos": ("a", "b", "c"), "photos_as": "references", "seconds": 8}, None),
        ("veo-3.1", {"photos": ("a",), "photos_as": "references", "seconds": 4}, "no_references_of_seconds"),
        ("veo-3.1-fast", {"photos": ("a",), "photos_as": "references"}, "no_references"),
        ("hailuo-2.3", {"seconds": 10, "resolution": "1080p"}, "no_seconds_at_resolution"),
        ("hailuo-2.3", {"ratio": "16:9"}, "no_ratio_choice"),
        ("hailuo-2.3-fast", {}, "no_text"),
        ("kling-o1", {"seconds": 7}, "no_text_of_seconds"),
        ("kling-o1", {"photos": ("a",) * 7, "photos_as": "references", "seconds": 7}, None),
        ("kling-o1", {"photos": ("a",) * 8, "photos_as": "references"}, "too_many_references"),
        ("seedance-2.0-fast", {"resolution": "1080p"}, "no_resolution"),
        ("grok", {"audio": False}, "audio_always"),
        ("vidu-q3", {"photos": ("a",), "audio": True}, "no_audio_here"),
        ("wan-2.6", {"negative_prompt": "x" * 501}, "negative_too_long"),
        ("wan-2.6", {"several_shots": True, "seconds": 15}, None),
        ("kling-3.0", {"guidance": 0.0, "seconds": 3}, None),
        ("kling-2.5", {"audio": True}, "no_audio"),
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
        await outcome_of(_adapter(server).poll("a&b=c#d+e%", VEO_3))
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


# What each product says of itself


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=lambda product: product.model.name)
def test_a_product_is_asked_in_each_of_its_modes_for_all_that_it_offers(product: Product) -> None:
    model, fields = product.model, product.fields
    assert model.modes <= set(product.forms)
    assert (model.references > 0) == (Mode.REFERENCES in model.modes)
    offered = {
        "ratio": bool(model.ratios),
        "resolution": len(model.resolutions) > 1,
        "seconds": True,
        "audio": model.audio,
        "seed": model.seed_max is not None,
        "negative_prompt": model.negative_prompt,
        "people": bool(model.people),
        "enhance": bool(model.enhance),
        "guidance": model.guidance,
        "count": model.count > 1,
        "off_peak": model.off_peak,
        "several_shots": model.several_shots,
    }
    assert {option for option, is_offered in offered.items() if is_offered} <= set(fields)


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.name)
async def test_each_combination_that_a_model_offers_is_sent_as_json(model: VideoModel) -> None:
    async with ProviderServer() as server:
        adapter, count = _adapter(server), 0
        for mode in sorted(model.modes):
            photos = {Mode.TEXT: 0, Mode.FIRST_FRAME: 1, Mode.FIRST_LAST: 2}.get(mode, model.references)
            for resolution in resolutions_for(mode, model) or (None,):
                lengths = seconds_for(mode, model, resolution)
                request = VideoRequest(
                    model=model.name,
                    prompt="a fox",
                    photos=("file",) * photos,
                    photos_as="references" if mode is Mode.REFERENCES else "frames",
                    seconds=max(lengths),
                    resolution=resolution,
                )
                assert check_request(request, model) == []
                server.next("submit", Reply(200, {"task_id": "7"}))
                outcome = await outcome_of(adapter.submit(settle(request, model), (PNG,) * photos, "t1"))
                assert outcome == Accepted("7")
                count += 1
    assert len(server.received) == count
    for sent in server.received:
        pictures = re.findall(r'"((?:data:image/png;base64,)?iVBOR[^"]*)"', sent.body.decode())
        bare = model.name.startswith("veo")
        assert all(picture.startswith("iVBOR" if bare else "data:") for picture in pictures)


PNG = b"\x89PNG\r\n\x1a\n"


def test_an_unknown_model_is_refused_in_one_sentence() -> None:
    settings = IsolatedSettings.model_validate(
        {"jiekou_api_key": "key", "jiekou_models": "kling-3.0, kling-9"}
    )
    with pytest.raises(SettingsError, match=r"JIEKOU_MODELS: there is no kling-9. There are: veo-3, "):
        build_providers(settings, lambda: datetime.now(UTC))


def test_people_see_the_models_that_the_operator_offers_in_that_order() -> None:
    settings = IsolatedSettings.model_validate({"jiekou_api_key": "key", "jiekou_models": "kling-3.0, veo-3"})
    models = build_models(settings, build_providers(settings, lambda: datetime.now(UTC)))
    assert list(models) == ["kling-3.0", "veo-3", "preview"]


@pytest.mark.parametrize(("allowed", "choices"), [("off", []), ("on", ["allow_all"])])
def test_people_may_ask_for_everybody_in_the_video_only_if_the_operator_allows_it(
    allowed: str, choices: list[str]
) -> None:
    settings = IsolatedSettings.model_validate({"jiekou_api_key": "key", "people_allow_all": allowed})
    model = build_models(settings, build_providers(settings, lambda: datetime.now(UTC)))["veo-3"]
    assert model.people == ("allow_adult", "dont_allow", *choices)
    request = VideoRequest(model="veo-3", prompt="a school play", people="allow_all")
    assert [problem.code for problem in check_request(request, model)] == (
        [] if choices else ["people_unknown"]
    )
