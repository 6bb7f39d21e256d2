"""The buttons under a draft: what can be chosen, and what a tap makes of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from every_model import WITH_LINKS, WITHOUT_LINKS
from fakes import A_MODEL, FREE_MODEL, FULL_MODEL, a_task
from hypothesis import given
from hypothesis import strategies as st
from telegram import InlineKeyboardButton

from bot.chat.cards.layout import name_camera
from bot.chat.cards.option_buttons import VERB, changed, choice_rows, option_rows
from bot.request import (
    CAMERAS,
    STRENGTHS,
    Crop,
    Exclusion,
    Mode,
    VideoModel,
    VideoRequest,
    check_request,
    fit_request,
    settle,
    shown,
)
from bot.task import Task, TaskState
from bot.text import LANGUAGES

ID = "f" * 16
OPTIONS = (
    *("model", "ratio", "seconds", "resolution", "audio", "camera", "strength"),
    *("style", "loop", "shots", "count", "later"),
)
BACK = ""
PHOTO = ("photo-1",)
TWO_PHOTOS = ("photo-1", "photo-2")

CAMERA_AT_720P = replace(
    FULL_MODEL,
    name="both",
    resolutions=("720p", "1080p"),
    exceptions=(Exclusion(modes=frozenset({Mode.CAMERA}), resolutions=frozenset({"1080p"})),),
    ratio_with_photo=True,
)
WORDS_ONLY = replace(A_MODEL, name="words", modes=frozenset({Mode.TEXT}), ratios=("2:3", "3:2", "1:1"))
SIX_SECONDS = replace(
    A_MODEL, name="six", seconds=(8, 4, 6), resolutions=("720P", "1280x480"), seed_max=None, prompt_limit=5
)
FAKES = {model.name: model for model in (A_MODEL, CAMERA_AT_720P, WORDS_ONLY, SIX_SECONDS, FREE_MODEL)}
ALL = [FAKES, WITH_LINKS, WITHOUT_LINKS]


def asked(model: str = "jimeng-pro", **wishes: Any) -> VideoRequest:
    return VideoRequest(**{"model": model, "prompt": "boat", **wishes})


def draft(request: VideoRequest, language: str = "en") -> Task:
    return a_task(ID, request=request, language=language, state=TaskState.DRAFT)


def labels(rows: Sequence[Sequence[InlineKeyboardButton]]) -> list[list[str]]:
    return [[button.text for button in row] for row in rows]


def data(rows: Sequence[Sequence[InlineKeyboardButton]]) -> list[str]:
    """What the buttons carry after their verb and the task's id."""
    carried = [str(button.callback_data) for row in rows for button in row]
    assert all(one.startswith(f"{VERB}:{ID}") for one in carried)
    return [one.removeprefix(f"{VERB}:{ID}").removeprefix(":") for one in carried]


def choices(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> list[str]:
    """What an opened option offers."""
    offered = data(choice_rows(draft(request), models, option))
    if offered[-1:] == ["models"]:
        offered.pop()
    assert offered == [] or offered.pop() == BACK
    assert all(button.startswith(f"{option}=") for button in offered)
    return [button.removeprefix(f"{option}=") for button in offered]


def picked(request: VideoRequest, models: Mapping[str, VideoModel], option: str, choice: str) -> VideoRequest:
    after = changed(request, models, option, choice)
    assert after is not None
    return after


# What is shown


def test_a_draft_shows_what_is_chosen_with_the_models_name_on_a_row_of_its_own() -> None:
    rows = option_rows(draft(asked(ratio="9:16")), FAKES)
    assert labels(rows) == [["🎬 jimeng-pro"], ["9:16", "5 s"], ["🎨 no style", "1 video"]]
    rows = option_rows(draft(asked("both", photos=PHOTO, audio=True, camera="robo_arm"), "zh"), FAKES)
    assert labels(rows) == [
        ["🎬 both"],
        ["🖼 用作开头"],
        ["照片比例", "5 秒", "720p", "🔊 开"],
        ["🎥 机械臂", "幅度：中"],
        ["🎨 无风格", "🔁 不循环", "1 个视频"],
    ]


def test_what_a_model_cannot_do_or_does_in_one_way_only_has_no_button() -> None:
    only = replace(A_MODEL, ratios=("16:9",), seconds=(5,))
    assert labels(option_rows(draft(asked()), {"jimeng-pro": only})) == [["🎨 no style", "1 video"]]
    for option in set(OPTIONS) - {"style", "count"}:
        assert choice_rows(draft(asked()), {"jimeng-pro": only}, option) == []


@pytest.mark.parametrize(("photos", "there"), [((), False), (PHOTO, True), (TWO_PHOTOS, False)])
def test_a_camera_move_is_offered_for_one_photo_alone(photos: tuple[str, ...], there: bool) -> None:
    task = draft(asked("both", photos=photos))
    assert any("No camera move" in text for row in labels(option_rows(task, FAKES)) for text in row) == there
    assert bool(choice_rows(task, FAKES, "camera")) == there


def test_a_strength_is_offered_only_with_a_move() -> None:
    assert choice_rows(draft(asked("both", photos=PHOTO)), FAKES, "strength") == []
    rows = choice_rows(draft(asked("both", photos=PHOTO, camera="handheld")), FAKES, "strength")
    assert [label for row in labels(rows) for label in row][:3] == [
        "weak move",
        "✓ medium move",
        "strong move",
    ]


def test_a_ratio_beside_a_photo_is_offered_only_where_it_is_heeded() -> None:
    assert choice_rows(draft(asked(photos=PHOTO)), FAKES, "ratio") == []
    rows = choice_rows(draft(asked("both", photos=PHOTO)), FAKES, "ratio")
    assert labels(rows)[:2] == [["✓ photo's format"], ["16:9", "9:16"]]
    assert picked(asked("both", photos=PHOTO, ratio="9:16"), FAKES, "ratio", "photo").ratio is None


def test_an_opened_option_shows_every_choice_with_the_present_one_marked_and_a_way_back() -> None:
    rows = choice_rows(draft(asked("jimeng-720p", ratio="1:1")), WITH_LINKS, "ratio")
    assert labels(rows) == [["16:9", "4:3", "✓ 1:1"], ["3:4", "9:16", "21:9"], ["‹ Back"]]
    assert data(rows)[0] == "ratio=16:9"
    assert data(rows)[-1] == BACK


def test_lengths_stand_in_their_order_with_the_default_marked() -> None:
    assert labels(choice_rows(draft(asked("six")), FAKES, "seconds"))[0] == ["4 s", "6 s", "✓ 8 s"]


def test_of_two_choices_one_tap_takes_the_other() -> None:
    request = asked("both", seconds=10)
    assert data(option_rows(draft(request), FAKES)) == [
        "model",
        "ratio=9:16",
        "seconds=5",
        "resolution=1080p",
        "audio=on",
        "style",
        "count",
    ]
    assert "audio=off" in data(option_rows(draft(request.model_copy(update={"audio": True})), FAKES))


def test_the_models_of_a_draft_are_the_newest_of_each_family_and_then_all() -> None:
    models = {name: WITH_LINKS[name] for name in ("veo-3", "jimeng-pro", "veo-3.1-fast", "veo-3.1")}
    rows = choice_rows(draft(asked()), models, "model")
    assert labels(rows) == [["veo-3.1-fast", "veo-3.1"], ["✓ jimeng-pro"], ["‹ Back", "All models"]]
    rows = choice_rows(draft(asked()), models, data(rows)[-1])
    assert labels(rows)[:-1] == [["veo-3.1-fast", "veo-3.1"], ["veo-3", "✓ jimeng-pro"]]
    assert picked(asked(), models, "models", "veo-3").model == "veo-3"
    rows = choice_rows(draft(asked("veo-3")), models, "model")
    assert "✓ veo-3" in [label for row in labels(rows) for label in row], "the chosen one is never hidden"
    assert labels(rows)[-1] == ["‹ Back"]


def test_an_older_model_can_be_had_where_few_are_newest() -> None:
    models = {name: WITH_LINKS[name] for name in ("veo-3.1", "veo-3")}
    assert data(option_rows(draft(asked("veo-3.1")), models))[0] == "model=veo-3"
    models |= {"jimeng-pro": WITH_LINKS["jimeng-pro"]}
    assert data(option_rows(draft(asked("veo-3.1")), models))[0] == "model"


def test_only_models_that_can_take_the_photos_are_offered() -> None:
    def offered(photos: tuple[str, ...], models: Mapping[str, VideoModel]) -> set[str]:
        return set(choices(asked("jimeng-720p", photos=photos), models, "models"))

    assert offered((), WITH_LINKS) == set(shown(WITH_LINKS))
    assert {"relay-jimeng", "veo-3", "jimeng-pro"} <= offered(PHOTO, WITH_LINKS)
    assert not {"relay-jimeng", "unified-jimeng"} & offered(PHOTO, WITHOUT_LINKS)
    assert not {"jimeng-pro", "veo-3"} & offered(TWO_PHOTOS, WITH_LINKS)
    assert {"jimeng-1080p", "geekai-jimeng"} <= offered(TWO_PHOTOS, WITH_LINKS)


def test_a_model_for_which_the_words_are_too_long_is_not_offered() -> None:
    assert changed(asked(prompt="boats"), FAKES, "model", "six") is not None
    assert changed(asked(prompt="a boat"), FAKES, "model", "six") is None


def test_the_free_model_is_offered_where_there_is_no_other_or_where_it_was_asked_for() -> None:
    assert changed(asked(), FAKES, "model", "preview") is None
    assert "preview" in choices(asked("preview"), FAKES, "model")


def test_a_draft_whose_model_is_gone_can_take_another() -> None:
    task = draft(asked("gone", seconds=7))
    assert labels(option_rows(task, FAKES)) == [["🎬 gone"]]
    assert picked(task.request, FAKES, "model", "six").seconds == 6


# What a tap does


@pytest.mark.parametrize(
    ("option", "choice", "field", "value"),
    [
        ("ratio", "9:16", "ratio", "9:16"),
        ("seconds", "10", "seconds", 10),
        ("resolution", "1080p", "resolution", "1080p"),
        ("audio", "on", "audio", True),
        ("audio", "off", "audio", False),
    ],
)
def test_a_choice_changes_its_own_field_and_nothing_else(
    option: str, choice: str, field: str, value: object
) -> None:
    request = asked("both", seed=7, negative_prompt="blur", people="dont_allow", enhance=False)
    assert picked(request, FAKES, option, choice) == request.model_copy(update={field: value})


@pytest.mark.parametrize(
    ("option", "choice"),
    [
        ("ratio", "21:9"),
        ("ratio", "photo"),
        ("ratio", ""),
        ("seconds", "7"),
        ("seconds", "ten"),
        ("seconds", "05"),
        ("resolution", "4k"),
        ("audio", "loud"),
        ("camera", "robo_arm"),
        ("strength", "strong"),
        ("model", "nobody"),
        ("prompt", "another"),
        ("", ""),
    ],
)
def test_what_was_not_offered_is_not_taken(option: str, choice: str) -> None:
    assert changed(asked("both"), FAKES, option, choice) is None


@given(st.sampled_from([*OPTIONS, "price", "photos"]), st.text(max_size=40))
def test_data_that_somebody_made_up_changes_nothing(option: str, choice: str) -> None:
    request = asked("both", photos=PHOTO)
    after = changed(request, FAKES, option, choice)
    assert after is None or choice in choices(request, FAKES, option)


def test_a_move_and_a_resolution_that_exclude_each_other_give_way_to_the_last_wish() -> None:
    large = asked("both", photos=PHOTO, resolution="1080p")
    moving = picked(large, FAKES, "camera", "handheld")
    assert (moving.camera, moving.resolution) == ("handheld", "720p")
    strong = picked(moving, FAKES, "strength", "strong")
    still = picked(strong, FAKES, "resolution", "1080p")
    assert (still.camera, still.strength, still.resolution) == (None, None, "1080p")
    assert picked(strong, FAKES, "resolution", "720p") == strong


def test_no_move_takes_its_strength_along() -> None:
    moving = asked("both", photos=PHOTO, camera="robo_arm", strength="weak")
    assert picked(moving, FAKES, "camera", "none") == asked("both", photos=PHOTO)
    assert picked(moving, FAKES, "camera", "handheld").strength == "weak"


@pytest.mark.parametrize(
    ("wishes", "model", "field", "value"),
    [
        ({"seconds": 5}, "six", "seconds", 4),
        ({"seconds": 10}, "six", "seconds", 8),
        ({"seconds": None}, "six", "seconds", None),
        ({"ratio": "16:9"}, "words", "ratio", "3:2"),
        ({"ratio": "9:16"}, "words", "ratio", "2:3"),
        ({"ratio": "1:1"}, "words", "ratio", "1:1"),
        ({"ratio": "wide"}, "words", "ratio", None),
        ({"ratio": "0:1"}, "words", "ratio", None),
        ({"resolution": "1080p"}, "six", "resolution", "720P"),
        ({"resolution": "480p"}, "six", "resolution", "1280x480"),
        ({"seed": 7}, "six", "seed", None),
        ({"seed": 0}, "six", "seed", None),
        ({"seed": 7}, "both", "seed", 7),
        ({"seed": 1001}, "both", "seed", None),
        ({"audio": True}, "words", "audio", None),
        ({"audio": True}, "both", "audio", True),
        ({"negative_prompt": "blur"}, "words", "negative_prompt", None),
        ({"negative_prompt": "blur"}, "both", "negative_prompt", "blur"),
        ({"people": "dont_allow"}, "both", "people", "dont_allow"),
        ({"people": "dont_allow"}, "words", "people", None),
        ({"enhance": True}, "words", "enhance", None),
        ({"enhance": False}, "words", "enhance", False),
        ({"photos": PHOTO, "camera": "robo_arm"}, "both", "camera", "robo_arm"),
        ({"photos": PHOTO, "camera": "pan"}, "both", "camera", None),
        ({"photos": PHOTO, "camera": "robo_arm", "strength": "weak"}, "six", "camera", None),
        ({"photos": PHOTO, "camera": "robo_arm", "strength": "weak"}, "six", "strength", None),
        ({"photos": PHOTO, "camera": "robo_arm", "resolution": "1080p"}, "both", "resolution", "720p"),
        ({"photos": PHOTO, "crop": Crop("16:9")}, "six", "crop", None),
    ],
)
def test_another_model_keeps_what_it_can_do_and_takes_the_nearest_for_the_rest(
    wishes: dict[str, Any], model: str, field: str, value: object
) -> None:
    assert getattr(fit_request(asked(**wishes), FAKES[model]), field) == value


# Of every request and every model

WISHES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "prompt": st.sampled_from(["", "boat", "a paper boat", "x" * 801]),
        "photos": st.sampled_from([(), PHOTO, TWO_PHOTOS]),
        "ratio": st.sampled_from([None, "16:9", "9:16", "1:1", "21:9", "2:3", "7:5", "wide"]),
        "seconds": st.sampled_from([None, 4, 5, 6, 7, 8, 10, 0]),
        "resolution": st.sampled_from([None, "720p", "1080p", "720P", "480p", "large"]),
        "seed": st.sampled_from([None, 0, 7, 1001, 2**31, 2**32, -1]),
        "camera": st.sampled_from([None, *CAMERAS[:2], "pan"]),
        "strength": st.sampled_from([None, *STRENGTHS, "huge"]),
        "negative_prompt": st.sampled_from([None, "blur"]),
        "audio": st.sampled_from([None, True, False]),
        "people": st.sampled_from([None, "allow_adult", "dont_allow", "allow_all"]),
        "enhance": st.sampled_from([None, True, False]),
    }
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[VideoRequest, dict[str, VideoModel]]:
    models = draw(st.sampled_from(ALL))
    name = draw(st.sampled_from(sorted(models)))
    return VideoRequest(model=name, **draw(WISHES)), models


def codes(request: VideoRequest, models: Mapping[str, VideoModel]) -> set[str]:
    return {problem.code for problem in check_request(request, models[request.model])}


def picks(request: VideoRequest, models: Mapping[str, VideoModel]) -> list[tuple[str, str]]:
    """Every option and choice that its keyboards offer."""
    return [(option, choice) for option in OPTIONS for choice in choices(request, models, option)]


@given(requests())
def test_no_tap_brings_a_problem_that_was_not_there(case: tuple[VideoRequest, dict[str, VideoModel]]) -> None:
    request, models = case
    for option, choice in picks(request, models):
        assert codes(picked(request, models, option, choice), models) <= codes(request, models)


@given(requests())
def test_no_tap_touches_the_words_or_the_photos(case: tuple[VideoRequest, dict[str, VideoModel]]) -> None:
    request, models = case
    for option, choice in picks(request, models):
        after = picked(request, models, option, choice)
        assert (after.prompt, after.photos) == (request.prompt, request.photos)


@given(requests())
def test_a_tap_shows_what_it_chose(case: tuple[VideoRequest, dict[str, VideoModel]]) -> None:
    request, models = case
    for option, choice in picks(request, models):
        after = draft(picked(request, models, option, choice))
        marked = [
            button.callback_data
            for row in choice_rows(after, models, option)
            for button in row
            if button.text.startswith("✓")
        ]
        # Where nothing else can be chosen any more, such as after leaving a hidden model, the option is gone.
        assert marked in ([], [f"{VERB}:{ID}:{option}={choice}"])


@given(requests(), st.data())
def test_a_model_that_can_do_the_very_same_does_the_very_same(
    case: tuple[VideoRequest, dict[str, VideoModel]], data_: st.DataObject
) -> None:
    request, models = case
    other = models[data_.draw(st.sampled_from(sorted(models)))]
    same = request.model_copy(update={"model": other.name})
    if not check_request(same, other):
        assert settle(fit_request(request, other), other) == settle(same, other)


@given(requests(), st.data())
def test_only_words_and_photos_can_keep_a_model_from_being_offered(
    case: tuple[VideoRequest, dict[str, VideoModel]], data_: st.DataObject
) -> None:
    request, models = case
    name = data_.draw(st.sampled_from(shown(models)))
    if changed(request, models, "model", name) is None:
        bare = VideoRequest(model=name, prompt=request.prompt, photos=request.photos)
        assert codes(bare, models)


@given(requests())
def test_a_summary_opens_an_option_or_takes_one_of_its_choices(
    case: tuple[VideoRequest, dict[str, VideoModel]],
) -> None:
    request, models = case
    for button in data(option_rows(draft(request), models)):
        option, _, choice = button.partition("=")
        offered = choices(request, models, option)
        assert choice in offered if choice else len(offered) > 1


@given(requests(), st.sampled_from(LANGUAGES))
def test_every_button_fits_a_thumb_and_telegram(
    case: tuple[VideoRequest, dict[str, VideoModel]], language: str
) -> None:
    request, models = case
    task = draft(request, language)
    for rows in (option_rows(task, models), *(choice_rows(task, models, option) for option in OPTIONS)):
        for row in rows:
            assert 1 <= len(row) <= 4
            for button in row:
                assert len(str(button.callback_data).encode()) <= 64
                assert button.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_camera_move_has_a_name_of_its_own(language: str) -> None:
    names = [name_camera(language, camera) for camera in CAMERAS]
    assert len(set(names)) == len(CAMERAS)
    assert not any(camera in names for camera in CAMERAS)


def test_a_move_that_nobody_named_is_called_as_it_was_typed() -> None:
    assert name_camera("en", "pan") == "pan"
