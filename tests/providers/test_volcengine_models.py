"""What may be asked of Volcengine's models, and what is sent for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from provider_server import ProviderServer, volcengine_at

from bot.errors import Rejected
from bot.provider import Photo, PhotoLink, StillRunning, Succeeded
from bot.providers.volcengine import Volcengine
from bot.request import CAMERAS, STRENGTHS, Mode, PhotoRules, VideoRequest, check_request, settle

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "volcengine"
MODELS = {model.name: model for model in Volcengine.models}
REQ_KEYS = {
    ("jimeng-pro", Mode.TEXT): "jimeng_ti2v_v30_pro",
    ("jimeng-pro", Mode.FIRST_FRAME): "jimeng_ti2v_v30_pro",
    ("jimeng-720p", Mode.TEXT): "jimeng_t2v_v30",
    ("jimeng-720p", Mode.FIRST_FRAME): "jimeng_i2v_first_v30",
    ("jimeng-720p", Mode.FIRST_LAST): "jimeng_i2v_first_tail_v30",
    ("jimeng-720p", Mode.CAMERA): "jimeng_i2v_recamera_v30",
    ("jimeng-1080p", Mode.TEXT): "jimeng_t2v_v30_1080p",
    ("jimeng-1080p", Mode.FIRST_FRAME): "jimeng_i2v_first_v30_1080",
    ("jimeng-1080p", Mode.FIRST_LAST): "jimeng_i2v_first_tail_v30_1080",
}


def _example(name: str) -> dict[str, Any]:
    example: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return example


PHOTOS = [
    base64.b64decode(text)
    for text in _example("submit_first_last_base64")["request"]["body"]["binary_data_base64"]
]
LINKS = [PhotoLink(f"https://example.org/{number}.jpg", 1200, 800) for number in range(2)]


def _request(model: str, mode: Mode = Mode.TEXT, **options: Any) -> VideoRequest:
    """What the bot would send: checked and settled."""
    photos = {Mode.TEXT: 0, Mode.FIRST_LAST: 2}.get(mode, 1)
    asked = VideoRequest(
        **{
            "model": model,
            "prompt": "千军万马",
            "photos": tuple(f"photo-{number}" for number in range(photos)),
            "camera": "robo_arm" if mode is Mode.CAMERA else None,
            **options,
        }
    )
    assert check_request(asked, MODELS[model]) == []
    assert asked.mode is mode
    return settle(asked, MODELS[model])


async def _sent(request: VideoRequest, photos: Sequence[Photo] = ()) -> dict[str, object]:
    """The body of the submit; the server complains of whatever no document allows."""
    async with ProviderServer() as server:
        await volcengine_at(server.base_url).submit(request, photos, "t1")
    return server.received[0].fields


# Models and modes


def test_the_models_are_what_the_documents_promise() -> None:
    assert {(name, mode) for name, model in MODELS.items() for mode in model.modes} == set(REQ_KEYS)
    assert {name: model.resolutions for name, model in MODELS.items()} == {
        "jimeng-pro": ("1080p",),
        "jimeng-720p": ("720p",),
        "jimeng-1080p": ("1080p",),
    }
    for model in MODELS.values():
        assert model.ratios == ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
        assert (model.seconds, model.prompt_limit, model.prompt_advice) == ((5, 10), 800, 400)
        assert model.photo_rules == PhotoRules(
            4_700_000, ("JPEG", "PNG"), 320, max_side=4096, max_long_to_short=3.0
        )
        assert (model.provider, model.company) == ("volcengine", "Volcengine (ByteDance)")
        assert (model.photo_as, model.crops_photo, model.ratio_with_photo) == ("bytes", True, False)
        assert 60 <= model.typical_s <= 300


@pytest.mark.parametrize("photos", [PHOTOS, LINKS], ids=["bytes", "links"])
@pytest.mark.parametrize(("model", "mode"), REQ_KEYS)
async def test_every_mode_goes_from_submit_to_video_under_its_own_key(
    model: str, mode: Mode, photos: Sequence[Photo]
) -> None:
    request = _request(model, mode)
    async with ProviderServer() as server:
        adapter = volcengine_at(server.base_url)
        accepted = await adapter.submit(request, photos[: len(request.photos)], "t1")
        polls = [await adapter.poll(accepted.remote_id, MODELS[model]) for _ in range(3)]
    assert polls[:2] == [StillRunning(queued=True), StillRunning()]
    assert isinstance(polls[2], Succeeded)
    assert {call.fields["req_key"] for call in server.received} == {REQ_KEYS[model, mode]}


async def test_an_id_without_a_key_is_looked_for_under_the_first_one() -> None:
    async with ProviderServer() as server:
        await volcengine_at(server.base_url).poll("7392616336519610409", MODELS["jimeng-720p"])
    assert server.received[0].fields == {"req_key": "jimeng_t2v_v30", "task_id": "7392616336519610409"}


async def test_an_id_with_a_colon_stays_whole() -> None:
    async with ProviderServer() as server:
        await volcengine_at(server.base_url).poll("a:b", MODELS["jimeng-pro"])
        await volcengine_at(server.base_url).poll("jimeng_t2v_v30:a:b", MODELS["jimeng-720p"])
    assert [call.fields["task_id"] for call in server.received] == ["a:b", "a:b"]


@pytest.mark.parametrize(
    ("model", "options", "code"),
    [
        ("jimeng-pro", {"photos": ("a", "b")}, "no_first_last"),
        ("jimeng-pro", {"photos": ("a",), "camera": "robo_arm"}, "no_camera"),
        ("jimeng-1080p", {"photos": ("a",), "camera": "robo_arm"}, "no_camera"),
        ("jimeng-720p", {"camera": "robo_arm"}, "camera_needs_photo"),
        ("jimeng-720p", {"resolution": "1080p"}, "no_resolution"),
        ("jimeng-1080p", {"resolution": "720p"}, "no_resolution"),
        ("jimeng-720p", {"photos": ("a",), "prompt": ""}, "prompt_missing_with_photo"),
        ("jimeng-1080p", {"photos": ("a", "b"), "prompt": " "}, "prompt_missing_with_photo"),
        ("jimeng-720p", {"seconds": 8}, "no_seconds"),
        ("jimeng-1080p", {"seed": 2**31}, "seed_out_of_range"),
    ],
)
def test_what_a_model_cannot_do_is_refused_before_it_is_paid_for(
    model: str, options: dict[str, Any], code: str
) -> None:
    request = VideoRequest(**{"model": model, "prompt": "a boat", **options})
    assert [problem.code for problem in check_request(request, MODELS[model])] == [code]


# What is sent


async def test_words_with_nothing_chosen_are_sent_with_every_default() -> None:
    assert await _sent(_request("jimeng-720p")) == _example("submit_t2v_720p")["request"]["body"]
    assert await _sent(_request("jimeng-1080p")) == _example("submit_t2v_1080p")["request"]["body"]
    assert await _sent(_request("jimeng-pro")) == _example("submit_t2v")["request"]["body"]


async def test_seed_ratio_and_seconds_reach_the_provider() -> None:
    sent = await _sent(_request("jimeng-1080p", seed=7, ratio="21:9", seconds=10))
    assert (sent["seed"], sent["aspect_ratio"], sent["frames"]) == (7, "21:9", 241)


@pytest.mark.parametrize(("model", "mode"), [key for key in REQ_KEYS if key[1] is not Mode.TEXT])
async def test_a_photo_keeps_its_shape_whatever_ratio_was_chosen(model: str, mode: Mode) -> None:
    request = _request(model, mode, ratio="9:16")
    assert "aspect_ratio" not in await _sent(request, PHOTOS[: len(request.photos)])


async def test_only_keys_that_take_a_ratio_are_ever_sent_one() -> None:
    with_ratio = {}
    for (model, mode), req_key in REQ_KEYS.items():
        request = _request(model, mode).model_copy(update={"ratio": "1:1"})
        sent = await _sent(request, PHOTOS[: len(request.photos)])
        with_ratio[req_key] = "aspect_ratio" in sent
    assert {req_key for req_key, yes in with_ratio.items() if yes} == {
        "jimeng_ti2v_v30_pro",
        "jimeng_t2v_v30",
        "jimeng_t2v_v30_1080p",
    }


async def test_a_camera_move_is_sent_with_its_strength() -> None:
    sent = await _sent(_request("jimeng-720p", Mode.CAMERA), PHOTOS[:1])
    assert (sent["template_id"], sent["camera_strength"]) == ("robo_arm", "medium")
    chosen = _request("jimeng-720p", Mode.CAMERA, camera="handheld", strength="strong")
    sent = await _sent(chosen, PHOTOS[:1])
    assert (sent["template_id"], sent["camera_strength"]) == ("handheld", "strong")


def test_the_camera_moves_and_strengths_are_those_of_the_document() -> None:
    note: str = _example("submit_camera")["note"]
    _, templates, strengths = note.rstrip(".").split(": ")
    assert tuple(templates.split(".")[0].split(", ")) == CAMERAS
    assert tuple(strengths.split(", ")) == STRENGTHS


@pytest.mark.parametrize("photos", [PHOTOS, PHOTOS[::-1]])
async def test_the_first_frame_stands_before_the_last(photos: Sequence[bytes]) -> None:
    sent = await _sent(_request("jimeng-1080p", Mode.FIRST_LAST), photos)
    assert sent["binary_data_base64"] == [base64.b64encode(photo).decode() for photo in photos]


async def test_links_are_sent_in_a_list_of_their_own() -> None:
    sent = await _sent(_request("jimeng-720p", Mode.FIRST_LAST), LINKS)
    assert sent["image_urls"] == ["https://example.org/0.jpg", "https://example.org/1.jpg"]
    assert "binary_data_base64" not in sent


async def test_bytes_and_links_are_never_mixed() -> None:
    async with ProviderServer() as server:
        with pytest.raises(Rejected):
            await volcengine_at(server.base_url).submit(
                _request("jimeng-720p", Mode.FIRST_LAST), [PHOTOS[0], LINKS[1]], "t1"
            )
    assert server.received == []


async def test_a_photo_needs_no_prompt_on_pro_and_then_none_is_sent() -> None:
    sent = await _sent(_request("jimeng-pro", Mode.FIRST_FRAME, prompt=""), PHOTOS[:1])
    assert set(sent) == {"req_key", "binary_data_base64", "seed", "frames"}


async def test_two_photos_of_the_largest_size_arrive_whole() -> None:
    photos = [photo + b"\0" * (4_700_000 - len(photo)) for photo in PHOTOS]
    sent = await _sent(_request("jimeng-720p", Mode.FIRST_LAST), photos)
    texts = sent["binary_data_base64"]
    assert isinstance(texts, list)
    assert [base64.b64decode(text) for text in texts] == photos
