"""What may be asked of whom: every reason against a request is found before anything is paid for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import A_MODEL, FREE_MODEL, FULL_MODEL
from hypothesis import given
from hypothesis import strategies as st

from bot.request import (
    CAMERAS,
    STRENGTHS,
    Mode,
    VideoModel,
    VideoRequest,
    check_photo,
    check_request,
    settle,
    shown,
)
from bot.text import LANGUAGES, say

PHOTO = ("photo-1",)
ONLY_PHOTOS = replace(A_MODEL, modes=frozenset({Mode.FIRST_FRAME}))


def asked(**options: Any) -> VideoRequest:
    return VideoRequest(**{"model": "jimeng-pro", "prompt": "a paper boat", **options})


@pytest.mark.parametrize(
    ("request_", "model", "codes"),
    [
        (asked(), A_MODEL, []),
        (asked(prompt=""), A_MODEL, ["prompt_missing"]),
        (asked(prompt=" \n"), A_MODEL, ["prompt_missing"]),
        (asked(prompt="", photos=PHOTO), A_MODEL, []),
        (
            asked(prompt="", photos=PHOTO),
            replace(A_MODEL, prompt_with_photo="required"),
            ["prompt_missing_with_photo"],
        ),
        (asked(prompt="x" * 800), A_MODEL, []),
        (asked(prompt="x" * 801), A_MODEL, ["prompt_too_long"]),
        (asked(), ONLY_PHOTOS, ["no_text"]),
        (asked(photos=PHOTO), replace(A_MODEL, modes=frozenset({Mode.TEXT})), ["no_first_frame"]),
        (asked(photos=("a", "b")), A_MODEL, ["no_first_last"]),
        (asked(photos=PHOTO, camera="robo_arm"), A_MODEL, ["no_camera"]),
        (asked(photos=PHOTO, camera="robo_arm"), FULL_MODEL, []),
        (asked(camera="robo_arm"), FULL_MODEL, ["camera_needs_photo"]),
        (asked(photos=PHOTO, camera="pan"), FULL_MODEL, ["camera_unknown"]),
        (asked(photos=PHOTO, camera="robo_arm", strength="huge"), FULL_MODEL, ["strength_unknown"]),
        (asked(ratio="9:16"), A_MODEL, []),
        (asked(ratio="21:9"), A_MODEL, ["no_ratio"]),
        (asked(seconds=0), A_MODEL, ["no_seconds"]),
        (asked(seconds=7), A_MODEL, ["no_seconds"]),
        (asked(resolution="720p"), A_MODEL, ["no_resolution"]),
        (asked(seed=0), A_MODEL, []),
        (asked(seed=1000), A_MODEL, []),
        (asked(seed=1001), A_MODEL, ["seed_out_of_range"]),
        (asked(seed=-1), A_MODEL, ["seed_out_of_range"]),
        (asked(seed=1), replace(A_MODEL, seed_max=None), ["no_seed"]),
        (asked(audio=True), A_MODEL, ["no_audio"]),
        (asked(audio=False, enhance=False), A_MODEL, []),
        (asked(negative_prompt="blur"), A_MODEL, ["no_negative_prompt"]),
        (asked(people="allow_adult"), A_MODEL, ["no_people"]),
        (asked(enhance=True), A_MODEL, ["no_enhance"]),
        (asked(audio=True, negative_prompt="blur", people="allow_adult", enhance=True), FULL_MODEL, []),
        (
            asked(prompt="", ratio="2:3", seconds=7, seed=-1, audio=True),
            A_MODEL,
            ["prompt_missing", "no_ratio", "no_seconds", "seed_out_of_range", "no_audio"],
        ),
    ],
)
def test_every_reason_against_a_request_is_named(
    request_: VideoRequest, model: VideoModel, codes: list[str]
) -> None:
    problems = check_request(request_, model)
    assert [problem.code for problem in problems] == codes
    for problem in problems:
        for language in LANGUAGES:
            assert "{" not in say(language, problem.code, **problem.values)


def test_a_refusal_names_what_would_work() -> None:
    (problem,) = check_request(asked(seconds=7), A_MODEL)
    assert problem.values == {"model": "jimeng-pro", "asked": 7, "choices": ["5", "10"]}


@given(
    st.builds(
        VideoRequest,
        model=st.just("jimeng-pro"),
        prompt=st.text(max_size=20),
        photos=st.lists(st.just("photo"), max_size=2).map(tuple),
        ratio=st.none() | st.sampled_from(["16:9", "9:16", "1:1"]),
        seconds=st.none() | st.sampled_from([0, 5, 10, 11]),
        camera=st.none() | st.sampled_from([*CAMERAS, "", "pan"]),
        strength=st.none() | st.sampled_from([*STRENGTHS, "huge"]),
        seed=st.none() | st.integers(),
    ),
    st.sampled_from([A_MODEL, FULL_MODEL, ONLY_PHOTOS]),
)
def test_a_request_without_problems_settles_into_one_the_model_offers(
    request_: VideoRequest, model: VideoModel
) -> None:
    if check_request(request_, model):
        return
    settled = settle(request_, model)
    assert check_request(settled, model) == []
    assert settle(settled, model) == settled
    assert settled.seconds in model.seconds
    assert settled.resolution in model.resolutions
    assert settled.ratio in model.ratios if not request_.photos else settled.ratio is None


def test_a_ratio_stands_beside_a_photo_only_where_it_can_be_chosen() -> None:
    both = asked(photos=PHOTO, ratio="9:16")
    assert settle(both, A_MODEL).ratio is None
    assert settle(both, replace(A_MODEL, ratio_with_photo=True)).ratio == "9:16"


def test_a_request_is_read_back_from_its_json_as_it_was() -> None:
    full = asked(photos=PHOTO, seed=7, camera="robo_arm", audio=False)
    assert VideoRequest.model_validate_json(full.model_dump_json(exclude_none=True)) == full
    assert VideoRequest.model_validate_json('{"model": "m", "an_option_of_tomorrow": 1}').model == "m"


@pytest.mark.parametrize(
    ("width", "height", "size_bytes", "codes"),
    [
        (640, 480, 1000, []),
        (None, None, None, []),
        (320, 960, None, []),
        (240, 640, None, []),
        (239, 640, None, ["photo_too_small"]),
        (961, 320, None, []),
        (640, 480, 20_000_001, ["photo_too_many_bytes"]),
        (None, None, 20_000_001, ["photo_too_many_bytes"]),
    ],
)
def test_a_photo_is_judged_by_what_telegram_tells_of_it(
    width: int | None, height: int | None, size_bytes: int | None, codes: list[str]
) -> None:
    problems = check_photo(A_MODEL, width, height, 20_000_000, size_bytes)
    assert [problem.code for problem in problems] == codes
    for problem in problems:
        say("en", problem.code, **problem.values)


def test_free_models_are_offered_only_where_there_is_no_other() -> None:
    both = {model.name: model for model in (A_MODEL, FREE_MODEL)}
    assert list(shown(both)) == ["jimeng-pro"]
    assert list(shown({"preview": FREE_MODEL})) == ["preview"]
