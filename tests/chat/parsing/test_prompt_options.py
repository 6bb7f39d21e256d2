"""What somebody typed, read as a prompt and options: only what is surely an option is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.parsing.prompt_options import FLAGS, read_prompt
from bot.request import CAMERAS
from bot.text import LANGUAGES, plain, say


def read(text: str) -> tuple[str, dict[str, object]]:
    words = read_prompt(text)
    assert words.problems == ()
    return words.prompt, words.options


@pytest.mark.parametrize(
    "dash",
    ["--", "—", "–", "−", "——", "－－", "―", "‑‑", "－", "⸺"],
    ids=["hyphens", "em", "en", "minus", "chinese", "wide", "bar", "stiff", "one-wide", "two-em"],
)
@pytest.mark.parametrize(
    "value", ["ratio 9:16", "ratio=9:16", "Ratio  ９：１６", "ratio\n9:16", "ratio：9：16", "ratio 9:16。"]
)
def test_a_flag_is_read_as_any_keyboard_writes_it(dash: str, value: str) -> None:
    assert read(f"a paper boat {dash}{value}") == ("a paper boat", {"ratio": "9:16"})


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("--model jimeng-pro", {"model": "jimeng-pro"}),
        ("--seconds 10", {"seconds": 10}),
        ("--seconds 10s", {"seconds": 10}),
        ("--seconds １０秒", {"seconds": 10}),
        ("--resolution 1080P", {"resolution": "1080p"}),
        ("--seed 7", {"seed": 7}),
        ("--seed -7", {"seed": -7}),
        ("--camera Robo_Arm --strength WEAK", {"camera": "robo_arm", "strength": "weak"}),
        ("--people allow_adult", {"people": "allow_adult"}),
        ("--guidance 0.7", {"guidance": 0.7}),
        ("--guidance 0,7", {"guidance": 0.7}),
        ("--cfg_scale 1", {"guidance": 1.0}),
        ("--guidance .25 --seed 7", {"guidance": 0.25, "seed": 7}),
        ("--refs", {"photos_as": "references"}),
        ("--refs off", {"photos_as": "frames"}),
        ("--reference-images --seed 7", {"photos_as": "references", "seed": 7}),
        ("--audio", {"audio": True}),
        ("--audio on", {"audio": True}),
        ("--audio off", {"audio": False}),
        ("--enhance=no --audio YES", {"enhance": False, "audio": True}),
        ("--audio --ratio 9:16", {"audio": True, "ratio": "9:16"}),
        ("--negative blur, text --seed 7", {"negative_prompt": "blur, text", "seed": 7}),
        ('--negative "blur, text" --seed 7', {"negative_prompt": "blur, text", "seed": 7}),
        ("--negative “blur 9:16”", {"negative_prompt": "blur 9:16"}),
        ("--negative 「模糊」", {"negative_prompt": "模糊"}),
        ('--negative "blur', {"negative_prompt": "blur"}),
        ("--negative blur 9:16", {"negative_prompt": "blur 9:16"}),
        ("9:16 10s 1080p", {"ratio": "9:16", "seconds": 10, "resolution": "1080p"}),
        ("1080p 9:16 10s", {"ratio": "9:16", "seconds": 10, "resolution": "1080p"}),
        ("10秒 ９：１６", {"ratio": "9:16", "seconds": 10}),
        ("10sec", {"seconds": 10}),
        ("9:16 --seed 7", {"ratio": "9:16", "seed": 7}),
        ("--seed 7 9:16 10s", {"ratio": "9:16", "seconds": 10, "seed": 7}),
        ("9:16 --ratio 16:9", {"ratio": "16:9"}),
        ("--seed 1 --seed 2", {"seed": 2}),
        ("--count 3", {"count": 3}),
        ("--count ×3 --seed 7", {"count": 3, "seed": 7}),
        ("--n 2x", {"count": 2}),
        ("--count 12", {"count": 12}),
        ("x3", {"count": 3}),
        ("×2.", {"count": 2}),
        ("х4", {"count": 4}),
        ("x3 9:16 10s", {"count": 3, "ratio": "9:16", "seconds": 10}),
        ("9:16, x2", {"count": 2, "ratio": "9:16"}),
        ("9:16\n10s", {"ratio": "9:16", "seconds": 10}),
        ("9:16, 10s, 1080p", {"ratio": "9:16", "seconds": 10, "resolution": "1080p"}),
        ("９：１６，１０秒。", {"ratio": "9:16", "seconds": 10}),
        ("9:16、10秒；1080p", {"ratio": "9:16", "seconds": 10, "resolution": "1080p"}),
        ("10с", {"seconds": 10}),
        ("10seconds", {"seconds": 10}),
        ("--ratio 9:16，--seconds 10，", {"ratio": "9:16", "seconds": 10}),
        ("9:16.", {"ratio": "9:16"}),
        ("10 s", {"seconds": 10}),
        ("10 seconds", {"seconds": 10}),
        ("for 10 seconds", {"seconds": 10}),
        ("10 секунд", {"seconds": 10}),
        ("на 5 секунд", {"seconds": 5}),
        ("10 秒", {"seconds": 10}),
        ("10 秒鐘", {"seconds": 10}),
        ("durante 10 segundos", {"seconds": 10}),
        ("por 10 segundos.", {"seconds": 10}),
        ("9:16, 10 seconds", {"ratio": "9:16", "seconds": 10}),
        ("--seconds 10 seconds", {"seconds": 10}),
        ("1:7", {"ratio": "1:7"}),
        ("16:10", {"ratio": "16:10"}),
        ("2.4:1", {"ratio": "2.4:1"}),
        ("-ratio 9:16 -seconds 10", {"ratio": "9:16", "seconds": 10}),
        ("–seed 7", {"seed": 7}),
        ("--seed -1", {"seed": None}),
        ("--seed random", {"seed": None}),
        ("--duration 10", {"seconds": 10}),
        ("--duration 10 seconds --seed 7", {"seconds": 10, "seed": 7}),
        ("—duration 10", {"seconds": 10}),
        ("-duration_seconds 8", {"seconds": 8}),
        ("--frames 121", {"seconds": 5}),
        ("--frames 241", {"seconds": 10}),
        ("--aspect_ratio 9:16", {"ratio": "9:16"}),
        ("--aspect-ratio=9:16", {"ratio": "9:16"}),
        ("--ar 9:16", {"ratio": "9:16"}),
        ("--size 720P", {"resolution": "720p"}),
        ("--size 9:16", {"ratio": "9:16"}),
        ("--size 1280x720", {"ratio": "16:9", "resolution": "720p"}),
        ("--size 720*1280", {"ratio": "9:16", "resolution": "720p"}),
        ("--size 1248x704", {"ratio": "16:9", "resolution": "720p"}),
        ("--template_id robo_arm --camera-strength weak", {"camera": "robo_arm", "strength": "weak"}),
        ("--negative_prompt blur", {"negative_prompt": "blur"}),
        ("--generate_audio true", {"audio": True}),
        ("--person_generation allow_adult", {"people": "allow_adult"}),
        ("--enhance-prompt false", {"enhance": False}),
    ],
)
def test_options_stand_after_the_prompt(text: str, options: dict[str, object]) -> None:
    assert read(f"a paper boat {text}") == ("a paper boat", options)
    assert read(text) == ("", options)


@pytest.mark.parametrize(
    "text",
    [
        "a clock at 10:30 strikes",
        "a clock strikes 10:30",
        "after 10s the door opens",
        "a 9:16 window, then rain",
        "the sea — calm and blue",
        "the sea —calm and blue",
        "a well-known actor, black-and-white",
        "two lovers — people of the sea — dancing",
        "1080p is not a place",
        "wait for it - now",
        "-- and then nothing",
        "a minus −5 degrees morning",
        "snow−ratio unknown",
        "foo--ratio is a word",
        "他说——模型很好",
        "a 4-3 win",
        "a clock strikes 9:20",
        "the sea -calm and blue",
        "the sea —art deco",
        "a boat -ar 9 to 16",
        "the score was 5:4",
        "bus 100s",
        "a silver BMW X3",
        "the camera zooms in 2x",
        "photo 3x4",
        "an x1",
        "three cats x5",
        "猫3个",
        "emoji 👩‍👩‍👧 and עברית",
    ],
)
def test_a_prompt_that_only_looks_like_options_is_left_alone(text: str) -> None:
    assert read(text) == (text, {})


def test_a_second_ratio_stays_in_the_prompt() -> None:
    assert read("a boat 4:3 9:16") == ("a boat 4:3", {"ratio": "9:16"})


def test_words_behind_a_flag_belong_to_the_prompt() -> None:
    assert read("a boat --seed 7 in the rain --audio with thunder") == (
        "a boat in the rain with thunder",
        {"seed": 7, "audio": True},
    )
    assert read("a boat --negative 'blur' in the rain") == ("a boat in the rain", {"negative_prompt": "blur"})
    assert read("--seed 7\nin the rain") == ("in the rain", {"seed": 7})
    assert read("--seed　7　雨中的纸船") == ("雨中的纸船", {"seed": 7})


@pytest.mark.parametrize(
    ("text", "code", "nearest"),
    [
        ("a boat --ration 9:16", "unknown_flag_near", "ratio"),
        ("a boat —secnds 10", "unknown_flag_near", "seconds"),
        ("a boat --neg blur", "unknown_flag_near", "negative"),
        ("a boat --xyzzy", "unknown_flag", None),
    ],
)
def test_an_unknown_flag_is_named_with_the_nearest_one(text: str, code: str, nearest: str | None) -> None:
    (problem,) = read_prompt(text).problems
    assert (problem.code, problem.values.get("nearest")) == (code, nearest)
    for language in LANGUAGES:
        say(language, problem.code, **problem.values)


@pytest.mark.parametrize(
    "text",
    [
        "--frames 120",
        "--frames",
        "--size",
        "--size 00x00",
        "--seed",
        "--seed seven",
        "--guidance much",
        "--guidance .",
        "--guidance nan",
        "--seconds 1.5",
        "--ratio --seed 7",
        "--negative",
        '--negative ""',
        "--model=",
    ],
)
def test_a_flag_without_a_usable_value_is_named_with_an_example(text: str) -> None:
    (problem,) = read_prompt(f"a boat {text}").problems
    assert problem.code == "flag_needs_value"
    example = str(problem.values["example"])
    assert read_prompt(f"a boat {example}").problems == ()
    say("en", problem.code, **problem.values)


@pytest.mark.parametrize(
    "text",
    [
        *("\u200b", "\u200d \ufeff", "\u2060 9:16", "\u200b --seed 7", "\u2800"),
        *("\u3164\u115f", "\u0301\u0308", "\u2800\u200b 5s", "\u20dd", "\ufe0f"),
    ],
)
def test_what_nobody_can_see_is_no_prompt(text: str) -> None:
    assert read_prompt(text).prompt == ""


def test_invisible_marks_within_a_prompt_stay() -> None:
    for words in ("👨\u200d👩\u200d👧 at dawn", "e\u0301te\u0301", "नमस्ते", "⠃\u2800⠗"):
        assert read_prompt(words).prompt == words


WORD = st.text(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]), min_size=1, max_size=8)


@given(st.lists(WORD, max_size=6).map(" ".join))
def test_anything_can_be_read_and_nothing_is_invented(text: str) -> None:
    words = read_prompt(text)
    assert all(word in text.split() or not word for word in words.prompt.split())
    keys = {key for key, _ in FLAGS.values()}
    assert set(words.options) <= keys


@given(st.lists(st.sampled_from(["boat", "--seed", "7", "—ratio", "9:16", "--", "—", '"', "--audio", "10s"])))
def test_reading_a_prompt_once_more_changes_nothing(parts: list[str]) -> None:
    words = read_prompt(" ".join(parts))
    if not words.problems and not words.options:
        assert read_prompt(words.prompt) == words


@pytest.mark.parametrize("flag", ["--image-tail", "--image_tail", "--image_urls", "--last-frame"])
def test_a_photo_is_sent_and_not_typed(flag: str) -> None:
    words = read_prompt(f"a boat {flag} https://example.com/a.jpg in the rain")
    assert [problem.code for problem in words.problems] == ["flag_photo"]
    for language in LANGUAGES:
        say(language, "flag_photo", **words.problems[0].values)


@pytest.mark.parametrize(
    ("text", "prompt", "camera"),
    [
        ("closer --camera Crane", "closer", "crane_push"),
        ("closer --camera crane_push", "closer", "crane_push"),
        ("closer --camera Dynamic orbit in the rain", "closer in the rain", "dynamic_orbit"),
        ("closer --camera dynamic-orbit", "closer", "dynamic_orbit"),
        ('closer --camera "Rapid push and pull" please', "closer please", "rapid_push_pull"),
        ("closer --camera Swivel ↺", "closer", "counterclockwise_swivel"),
        ("ближе --camera Кран", "ближе", "crane_push"),
        ("closer --camera cranes", "closer", "cranes"),
    ],
)
def test_a_camera_move_is_known_by_the_name_on_the_card(text: str, prompt: str, camera: str) -> None:
    read = read_prompt(text)
    assert (read.prompt, read.options, read.problems) == (prompt, {"camera": camera}, ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_camera_move_can_be_typed_as_it_is_shown(language: str) -> None:
    shown = {camera: plain(say(language, f"camera_move_{camera}")) for camera in CAMERAS}
    assert {camera: read_prompt(f"a boat --camera {name}").options for camera, name in shown.items()} == {
        camera: {"camera": camera} for camera in CAMERAS
    }
