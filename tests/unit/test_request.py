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
    Crop,
    Exclusion,
    Mode,
    VideoModel,
    VideoRequest,
    check_photo,
    check_request,
    fit_request,
    listed_seconds,
    newest,
    settle,
    shown,
)
from bot.text import LANGUAGES, say

PHOTO = ("photo-1",)
ONLY_PHOTOS = replace(A_MODEL, modes=frozenset({Mode.FIRST_FRAME}))


SELECTIVE = replace(
    FULL_MODEL,
    resolutions=("720p", "1080p"),
    exceptions=(
        Exclusion(seconds=frozenset({10}), resolutions=frozenset({"1080p"})),
        Exclusion(modes=frozenset({Mode.REFERENCES}), seconds=frozenset({10})),
        Exclusion(modes=frozenset({Mode.FIRST_FRAME}), resolutions=frozenset({"1080p"})),
        Exclusion(modes=frozenset({Mode.REFERENCES}), sound=True),
    ),
)
OPEN = replace(A_MODEL, ratios=(), resolutions=())
LOUD = replace(A_MODEL, audio_always=True)
TUNED = replace(A_MODEL, guidance=True, count=4, off_peak=True)


def asked(**options: Any) -> VideoRequest:
    return VideoRequest(**{"model": "jimeng-pro", "prompt": "a paper boat", **options})


def refs(count: int, **options: Any) -> VideoRequest:
    return asked(photos=("photo",) * count, photos_as="references", **options)


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
        (asked(seed=-2), A_MODEL, ["seed_out_of_range"]),
        (asked(seed=1), replace(A_MODEL, seed_max=None), ["no_seed"]),
        (asked(audio=True), A_MODEL, ["no_audio"]),
        (asked(audio=False, enhance=False), A_MODEL, []),
        (asked(negative_prompt="blur"), A_MODEL, ["no_negative_prompt"]),
        (asked(people="allow_adult"), A_MODEL, ["no_people"]),
        (asked(enhance=True), A_MODEL, ["no_enhance"]),
        (asked(audio=True, negative_prompt="blur", people="allow_adult", enhance=True), FULL_MODEL, []),
        (refs(3), FULL_MODEL, []),
        (refs(1), FULL_MODEL, []),
        (refs(4), FULL_MODEL, ["too_many_references"]),
        (refs(1), A_MODEL, ["no_references"]),
        (refs(1, prompt=""), FULL_MODEL, ["prompt_missing_with_photo"]),
        (refs(1, camera="robo_arm"), FULL_MODEL, ["camera_needs_photo"]),
        (refs(1, seconds=10), SELECTIVE, ["no_references_of_seconds"]),
        (asked(seconds=10), SELECTIVE, []),
        (asked(seconds=10, resolution="1080p"), SELECTIVE, ["no_seconds_at_resolution"]),
        (asked(photos=PHOTO, resolution="1080p"), SELECTIVE, ["no_first_frame_at_resolution"]),
        (refs(1, audio=True), SELECTIVE, ["no_audio_here"]),
        (asked(audio=True), SELECTIVE, []),
        (asked(ratio="16:9", resolution="720p"), OPEN, ["no_ratio_choice", "no_resolution_choice"]),
        (asked(audio=False), LOUD, ["audio_always"]),
        (asked(audio=True), LOUD, []),
        (asked(seed=-1), replace(A_MODEL, seed_max=None), []),
        (asked(guidance=0.5), A_MODEL, ["no_guidance"]),
        (asked(guidance=1.1), TUNED, ["guidance_out_of_range"]),
        (asked(guidance=0, count=4, off_peak=True), TUNED, []),
        (asked(count=2), A_MODEL, []),
        (asked(count=5), TUNED, ["no_count"]),
        (asked(count=0), TUNED, ["no_count"]),
        (asked(count=4, seed=997), A_MODEL, []),
        (asked(count=4, seed=998), A_MODEL, ["seed_out_of_range"]),
        (asked(off_peak=True), A_MODEL, ["no_off_peak"]),
        (asked(several_shots=True), A_MODEL, ["no_several_shots"]),
        (asked(photos=PHOTO, loop=True), FULL_MODEL, []),
        (asked(photos=PHOTO, loop=True), A_MODEL, ["no_first_last"]),
        (asked(loop=True), FULL_MODEL, ["loop_needs_photo"]),
        (asked(photos=("a", "b"), loop=True), FULL_MODEL, ["loop_needs_photo"]),
        (asked(photos=PHOTO, loop=True, camera="robo_arm"), FULL_MODEL, ["loop_needs_photo"]),
        (refs(1, loop=True), FULL_MODEL, ["loop_needs_photo"]),
        (
            asked(prompt="", ratio="2:3", seconds=7, seed=-2, audio=True),
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
        photos_as=st.sampled_from(["frames", "references"]),
        ratio=st.none() | st.sampled_from(["16:9", "9:16", "1:1"]),
        seconds=st.none() | st.sampled_from([0, 5, 10, 11]),
        camera=st.none() | st.sampled_from([*CAMERAS, "", "pan"]),
        strength=st.none() | st.sampled_from([*STRENGTHS, "huge"]),
        seed=st.none() | st.integers(),
        resolution=st.none() | st.sampled_from(["720p", "1080p"]),
        audio=st.none() | st.booleans(),
    ),
    st.sampled_from([A_MODEL, FULL_MODEL, ONLY_PHOTOS, SELECTIVE, OPEN, LOUD]),
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
    assert settled.resolution in (model.resolutions or (None,))
    is_framed = request_.photos and request_.photos_as == "frames"
    assert settled.ratio in (model.ratios or (None,)) if not is_framed else settled.ratio is None
    assert settled.seed != -1


@pytest.mark.parametrize(
    ("asked", "offered", "nearest"),
    [("4k", ("480p", "1080p"), "1080p"), ("1080p", ("4k", "720p"), "720p"), ("2160p", ("720p", "4K"), "4K")],
)
def test_4k_is_the_largest_resolution(asked: str, offered: tuple[str, ...], nearest: str) -> None:
    model = replace(A_MODEL, resolutions=offered)
    assert (
        fit_request(VideoRequest(model="x", prompt="a boat", resolution=asked), model).resolution == nearest
    )


@given(
    st.builds(
        VideoRequest,
        model=st.just("jimeng-pro"),
        prompt=st.just("a paper boat"),
        photos=st.lists(st.just("photo"), max_size=3).map(tuple),
        photos_as=st.sampled_from(["frames", "references"]),
        seconds=st.none() | st.integers(1, 20),
        resolution=st.none() | st.sampled_from(["480p", "720p", "1080p"]),
        camera=st.none() | st.sampled_from([*CAMERAS, "pan"]),
        audio=st.none() | st.booleans(),
        seed=st.none() | st.integers(-2, 2000),
        guidance=st.none() | st.floats(-1, 2),
        count=st.none() | st.integers(1, 9),
        off_peak=st.none() | st.booleans(),
        loop=st.none() | st.booleans(),
    ),
    st.sampled_from([A_MODEL, FULL_MODEL, SELECTIVE, OPEN, LOUD, TUNED]),
)
def test_a_request_fits_every_model_but_for_its_words_and_photos(
    request_: VideoRequest, model: VideoModel
) -> None:
    left = {problem.code for problem in check_request(fit_request(request_, model), model)}
    of_photos = {"no_references", "too_many_references", "references_need_photo"}
    assert left <= {"no_text", "no_first_frame", "no_first_last", *of_photos}


def test_what_is_left_open_is_what_can_be_combined() -> None:
    assert settle(refs(2), SELECTIVE).seconds == 5
    swapped = replace(SELECTIVE, seconds=(10, 5), resolutions=("1080p", "720p"))
    assert settle(refs(2), swapped).seconds == 5
    assert settle(asked(), swapped).resolution == "720p"
    assert settle(asked(resolution="1080p"), swapped).seconds == 5
    assert settle(refs(2), FULL_MODEL).ratio == "16:9"
    assert settle(asked(), LOUD).audio is True


def test_lengths_in_a_row_are_named_as_one() -> None:
    assert listed_seconds((5, 4, 6, 10)) == ["4–6", "10"]
    assert listed_seconds((8, 4, 6)) == ["4", "6", "8"]
    assert listed_seconds((5, 6)) == ["5", "6"]


def test_a_ratio_stands_beside_a_photo_only_where_it_can_be_chosen() -> None:
    both = asked(photos=PHOTO, ratio="9:16")
    assert settle(both, A_MODEL).ratio is None
    assert settle(both, replace(A_MODEL, ratio_with_photo=True)).ratio == "9:16"


def test_a_crop_that_was_stored_as_its_ratio_is_around_the_centre() -> None:
    stored = VideoRequest.model_validate_json('{"model": "a", "photos": ["p"], "crop": "9:16"}')
    assert stored.crop == Crop("9:16")
    moved = stored.model_copy(update={"crop": Crop("9:16", x=0.25)})
    assert VideoRequest.model_validate_json(moved.model_dump_json(exclude_none=True)) == moved


def test_a_request_is_read_back_from_its_json_as_it_was() -> None:
    for full in (asked(photos=PHOTO, seed=7, camera="robo_arm", audio=False), refs(2, guidance=0.5)):
        assert VideoRequest.model_validate_json(full.model_dump_json(exclude_none=True)) == full
    frames = asked(photos=PHOTO).model_dump_json(exclude_none=True)
    assert frames == '{"model":"jimeng-pro","prompt":"a paper boat","photos":["photo-1"]}'
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


def test_the_newest_of_a_family_is_shown_first_and_older_ones_can_be_folded() -> None:
    names = ["veo-3", "kling-2.6", "jimeng-720p", "veo-3.1", "jimeng-1080p", "kling-3.0", "veo-3.1-fast"]
    ordered = shown({name: replace(A_MODEL, name=name) for name in names})
    assert ordered == [
        *("veo-3.1", "veo-3.1-fast", "veo-3", "kling-3.0", "kling-2.6"),
        *("jimeng-720p", "jimeng-1080p"),
    ]
    assert newest(ordered) == ["veo-3.1", "veo-3.1-fast", "kling-3.0", "jimeng-720p", "jimeng-1080p"]
