"""Bad input: one sentence that says what would work, and nothing is stored, bought or asked of a provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from pictures import photo
from provider_server import make_mp4
from running import BotHarness, buttons, says

from bot.chat.parsing.prompt_options import FLAGS
from bot.request import CAMERAS
from bot.sandbox import Chat, Json, Person
from bot.sandbox.world import Attachment

_MOVES = [says(f"camera_move_{name}") for name in CAMERAS]

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOO_MANY_BYTES = 20_000_001


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/video " + "x" * 801, says("prompt_too_long", length=801, limit=800)),
        ("x" * 900, says("prompt_too_long", length=900, limit=800)),
        ("9:16", says("prompt_missing")),
        ("/video a hat --ratoi 9:16", says("unknown_flag_near", flag="ratoi", nearest="ratio")),
        (
            "/video a hat --ratio 5:4",
            says("no_ratio", model="jimeng-pro", choices="16:9, 4:3, 1:1, 3:4, 9:16, 21:9", asked="5:4"),
        ),
        ("/video a hat 7s", says("no_seconds", model="jimeng-pro", choices="5, 10", asked=7)),
        (
            "/video a hat --seconds soon",
            says("flag_needs_value", flag="seconds", example="--seconds 10"),
        ),
        ("/video a hat --camera robo_arm", says("camera_needs_photo")),
        ("/video a hat --camera loop", says("camera_unknown", camera="loop", choices=", ".join(_MOVES))),
    ],
)
async def test_words_that_cannot_work_are_answered_with_what_would(
    live_bot: BotHarness, words: str, answer: str
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, words)
    assert await _only_answer(live_bot, ada, chat) == answer


async def test_an_option_nobody_has_is_answered_with_those_there_are(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video a hat --zzzzzz 1")
    answer = await _only_answer(live_bot, ada, chat)
    assert answer == says("unknown_flag", flag="zzzzzz", choices=", ".join(f"--{flag}" for flag in FLAGS))


@pytest.mark.parametrize(
    ("send", "answer"),
    [
        (
            lambda live_bot, ada, chat: live_bot.world.send_photo(
                ada, chat, photo(200, 300), caption="a wave"
            ),
            says("photo_too_small", width=200, height=300, min_side=320),
        ),
        (
            lambda live_bot, ada, chat: live_bot.world.send_photo(ada, chat, photo(200, 300)),
            says("photo_too_small", width=200, height=300, min_side=320),
        ),
        (
            lambda live_bot, ada, chat: live_bot.world.send_photo(
                ada, chat, photo(100, 100, "PNG"), caption="a wave", as_document=True, name="a.png"
            ),
            says("photo_too_small", width=100, height=100, min_side=320),
        ),
        (
            lambda live_bot, ada, chat: live_bot.world.send_photo(
                ada, chat, b"GIF89a no picture", caption="a wave", as_document=True, name="a.png"
            ),
            says("not_a_photo"),
        ),
        (
            lambda live_bot, ada, chat: live_bot.world.send_photo(
                ada, chat, photo().ljust(TOO_MANY_BYTES, b"\0"), caption="a wave", as_document=True
            ),
            says("photo_too_many_bytes", max_mb=20),
        ),
        (
            lambda live_bot, ada, chat: live_bot.world.send_photo(
                ada, chat, b"%PDF-1.7", caption="a wave", as_document=True, name="paper.pdf"
            ),
            says("not_a_photo_sent"),
        ),
    ],
    ids=[
        "too small",
        "too small, alone",
        "too small, a file",
        "no picture",
        "20 MB",
        "PDF",
    ],
)
async def test_files_that_cannot_work_are_answered_with_what_would(
    live_bot: BotHarness, send: Callable[[BotHarness, Person, Chat], Json], answer: str
) -> None:
    ada, chat = live_bot.newcomer()
    send(live_bot, ada, chat)
    assert await _only_answer(live_bot, ada, chat) == answer


@pytest.mark.parametrize("kind", ["photo", "document", "video"])
async def test_several_files_at_once_that_cannot_work_get_one_answer(
    live_bot: BotHarness, kind: Literal["photo", "document", "video"]
) -> None:
    ada, chat = live_bot.newcomer()
    data = {"photo": photo(100, 100), "document": b"%PDF-1.7", "video": make_mp4()}[kind]
    files = [Attachment(live_bot.world.files.receive(data, f"{name}.pdf"), kind) for name in "abcd"]
    live_bot.world.share(ada, chat, files, caption="a wave")
    await live_bot.until(lambda: live_bot.world.bot_messages(chat))
    await live_bot.handled(ada, chat)
    answers = [one for one in live_bot.world.bot_messages(chat) if "Options:" not in one["text"]]
    assert len(answers) == 1


async def test_a_question_that_is_not_answered_is_asked_again(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    question = await live_bot.answer(live_bot.world.say(ada, chat, "/video"))
    again = await live_bot.answer(live_bot.world.say(ada, chat, "9:16", reply_to=question))
    assert again["text"] == says("prompt_missing")
    assert live_bot.jobs("9:16") == 0
    live_bot.world.say(ada, chat, "a tin soldier", reply_to=question)
    await live_bot.shown(chat)


async def test_an_image_file_whose_pixels_cannot_be_read_is_told_on_the_card_and_never_sent_on(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    torn = photo(600, 400, "PNG")
    live_bot.world.send_photo(
        ada, chat, torn[: len(torn) // 2], caption="a torn wave", as_document=True, name="a.png"
    )
    await live_bot.until(lambda: (tasks := live_bot.tasks(chat)) and tasks[0]["delivered_at"])
    card = await live_bot.card(chat)
    assert says("not_a_photo") in card["text"]
    assert says("not_charged") in card["text"]
    assert list(buttons(card)) == [says("button_other_photo")]
    assert live_bot.jobs("a torn wave") == 0


async def _only_answer(live_bot: BotHarness, person: Person, chat: Chat) -> str:
    """The one message that came of it all; no trace is left behind."""
    before = (len(live_bot.provider.received), len(live_bot.rows("attempts")))
    await live_bot.handled(person, chat)
    answer, _help = live_bot.world.bot_messages(chat)
    assert live_bot.tasks(chat) == []
    assert (len(live_bot.provider.received), len(live_bot.rows("attempts"))) == before
    return str(answer["text"])


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        ("--guidance 0.5", says("no_guidance", model="jimeng-pro")),
        ("--cfg_scale 0.5", says("no_guidance", model="jimeng-pro")),
        ("--people allow_all", says("no_people", model="jimeng-pro")),
    ],
)
async def test_an_option_that_no_model_here_has_is_named(
    live_bot: BotHarness, option: str, answer: str
) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.say(ada, chat, f"/video a paper boat {option}")
    assert (await live_bot.answer(sent))["text"] == answer
    assert live_bot.tasks(chat) == []
