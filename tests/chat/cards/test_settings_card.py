"""The card of /settings: what it shows, what it offers, and what each choice makes of a chat's settings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from every_model import WITH_LINKS
from fakes import A_MODEL, FULL_MODEL

from bot.chat.cards.chat_defaults import add_usual, usual_model, usual_request
from bot.chat.cards.layout import Card
from bot.chat.features.settings import VERB, SettingsState, choose, draw_settings, offers
from bot.request import VideoModel, VideoRequest, check_request
from bot.store import ChatSettings
from bot.text import LANGUAGES, language_name, plain, say

PRO = replace(A_MODEL, crops_photo=True)
WIDE = replace(
    FULL_MODEL, name="wide", ratios=("16:9", "21:9"), seconds=(8, 4), resolutions=("720p", "1080p")
)
MODELS = {PRO.name: PRO, WIDE.name: WIDE}
PRIVATE = SettingsState(is_group=False, settings=ChatSettings())
GROUP = SettingsState(is_group=True, settings=ChatSettings())


def drawn(choices: SettingsState, opened: str | None = None, language: str = "en") -> Card:
    return draw_settings(language, choices, MODELS, PRO.name, opened)


def buttons(card: Card) -> dict[str, str]:
    """What each button does, by its words."""
    assert card.buttons is not None
    return {
        button.text: str(button.callback_data).removeprefix(f"{VERB}:")
        for row in card.buttons.inline_keyboard
        for button in row
    }


def chosen(choices: SettingsState, option: str, choice: str) -> ChatSettings:
    after = choose(choices, MODELS, PRO.name, option, choice)
    assert after is not None
    return after.settings


def test_each_button_says_what_is_in_force_and_there_is_one_for_what_can_be_chosen() -> None:
    labels = [
        "🎬 Model: jimeng-pro",
        "📐 Format: 16:9",
        "⏱ Length: 5 s",
        "🌐 Language: as in your Telegram",
        "🔔 Tell me when ready: on",
        "✂️ Ask before cropping: on",
    ]
    assert list(buttons(drawn(PRIVATE))) == labels
    assert "Model" not in drawn(PRIVATE).text, "nothing is said twice"
    assert [button.partition("=")[0] for button in buttons(drawn(PRIVATE)).values()] == [
        *("model", "ratio", "seconds", "language", "notify", "crop")
    ]


def test_who_may_change_nothing_reads_what_is_in_force_and_sees_no_button() -> None:
    card = draw_settings("en", GROUP, MODELS, PRO.name, may_change=False)
    assert card.buttons is None
    assert "🎬 Model: jimeng-pro\n📐 Format: 16:9\n⏱ Length: 5 s\n" in plain(card.text)


def test_a_group_has_quiet_mode_and_no_question_that_is_a_persons_own() -> None:
    options = {button.partition("=")[0] for button in buttons(drawn(GROUP)).values()}
    assert "quiet" in options
    assert "🌐 Language: the asker's" in buttons(drawn(GROUP))
    assert "crop" not in options
    assert say("en", "settings_admins") in drawn(GROUP).text
    assert say("en", "settings_admins") not in drawn(PRIVATE).text


def test_where_no_model_crops_nobody_is_asked_about_it() -> None:
    card = draw_settings("en", PRIVATE, {WIDE.name: WIDE}, WIDE.name)
    assert "crop" not in {button.partition("=")[0] for button in buttons(card).values()}


def test_an_opened_option_marks_what_is_in_force_and_leads_back() -> None:
    settings = ChatSettings(model="wide", seconds=4)
    opened = buttons(drawn(SettingsState(is_group=False, settings=settings), "seconds"))
    assert opened == {"✓ 4 s": "seconds=4", "8 s": "seconds=8", "‹ Back": ""}


def test_languages_are_named_as_their_speakers_do() -> None:
    opened = buttons(drawn(PRIVATE, "language"))
    assert [opened[language_name(code)] for code in LANGUAGES] == [f"language={code}" for code in LANGUAGES]
    assert opened["✓ as in your Telegram"] == "language=auto"


def test_a_switch_is_turned_by_one_tap() -> None:
    assert buttons(drawn(PRIVATE))["🔔 Tell me when ready: on"] == "notify=off"
    off = SettingsState(is_group=False, settings=ChatSettings(notify=False))
    assert buttons(drawn(off))["🔔 Tell me when ready: off"] == "notify=on"


@pytest.mark.parametrize(
    ("option", "choice", "after"),
    [
        ("model", "wide", ChatSettings(model="wide")),
        ("ratio", "9:16", ChatSettings(ratio="9:16")),
        ("seconds", "10", ChatSettings(seconds=10)),
        ("language", "pt", ChatSettings(language="pt")),
        ("notify", "off", ChatSettings(notify=False)),
        ("quiet", "on", ChatSettings(quiet=True)),
    ],
)
def test_a_choice_changes_that_alone(option: str, choice: str, after: ChatSettings) -> None:
    assert chosen(GROUP, option, choice) == after


def test_what_was_chosen_can_be_taken_back() -> None:
    all_chosen = ChatSettings(
        model="wide", ratio="21:9", seconds=4, resolution="1080p", audio=True, language="ru", notify=False
    )
    there = SettingsState(is_group=False, settings=all_chosen)
    assert buttons(drawn(there))[say("en", "option_reset")] == "reset="
    assert chosen(there, "reset", "") == ChatSettings(language="ru", notify=False)
    assert chosen(there, "language", "auto").language is None
    assert "reset=" not in buttons(drawn(PRIVATE)).values()


def test_another_model_takes_the_figures_along_as_near_as_it_comes() -> None:
    there = SettingsState(is_group=False, settings=ChatSettings(ratio="9:16", seconds=10))
    assert chosen(there, "model", "wide") == ChatSettings(model="wide", ratio="16:9", seconds=8)


@pytest.mark.parametrize(
    ("option", "choice"),
    [
        *(("ratio", "7:3"), ("seconds", "8"), ("model", "dall-e"), ("audio", "on"), ("resolution", "4k")),
        *(("language", "xx"), ("notify", "perhaps"), ("quiet", "on"), ("", ""), ("told_at", "1")),
    ],
)
def test_what_is_not_offered_cannot_be_chosen(option: str, choice: str) -> None:
    assert choose(PRIVATE, MODELS, PRO.name, option, choice) is None


def test_a_model_that_is_gone_is_passed_over() -> None:
    gone = ChatSettings(model="gone", ratio="9:16", resolution="480p")
    assert usual_model(gone, MODELS, PRO.name) == PRO.name
    assert offers(SettingsState(is_group=True, settings=gone), MODELS, PRO.name, "model")[0] == PRO.name
    assert usual_request(gone, MODELS, PRO.name).ratio == "9:16"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_fits_a_phone_in_every_language(language: str) -> None:
    for choices in (PRIVATE, GROUP):
        for opened in (None, "model", "language", "ratio"):
            card = drawn(choices, opened, language)
            assert len(card.text) < 1024


WORDS = VideoRequest(model="wide", prompt="a boat")


def test_what_is_typed_wins_over_what_is_usual() -> None:
    settings = ChatSettings(ratio="21:9", seconds=4, resolution="1080p", audio=True)
    typed = WORDS.model_copy(update={"ratio": "16:9", "audio": False})
    added = add_usual(typed, settings, WIDE)
    assert (added.ratio, added.audio) == ("16:9", False)
    assert (added.seconds, added.resolution) == (4, "1080p")


@pytest.mark.parametrize("model", WITH_LINKS.values(), ids=lambda model: model.name)
@pytest.mark.parametrize("camera", [None, "crane_push"])
def test_what_is_usual_never_stands_in_the_way(model: VideoModel, camera: str | None) -> None:
    """Whatever was chosen with another model: only what was typed is ever refused."""
    settings = ChatSettings(ratio="21:9", seconds=7, resolution="1080p", audio=True)
    photos = ("photo",) if camera else ()
    typed = VideoRequest(model=model.name, prompt="a boat", photos=photos, camera=camera)
    assert check_request(add_usual(typed, settings, model), model) == check_request(typed, model)


def test_a_photo_keeps_its_shape() -> None:
    photo = WORDS.model_copy(update={"photos": ("photo",)})
    assert add_usual(photo, ChatSettings(ratio="21:9", seconds=4), WIDE).ratio is None
