"""The examples of /start: each becomes a draft, and buys nothing."""

from __future__ import annotations

import pytest
from running import BotHarness, buttons, says

from bot.text import LANGUAGES, plain, say

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = ("button_example_boat", "button_example_lighthouse", "button_example_snow")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_start_has_three_examples_and_each_is_a_draft(live_bot: BotHarness, language: str) -> None:
    ada, chat = live_bot.newcomer(language=language)
    greeting = await live_bot.answer(live_bot.world.say(ada, chat, "/start"))
    labels = [plain(say(language, key)) for key in EXAMPLES]
    assert list(buttons(greeting)) == labels
    for label in labels:
        await live_bot.tap(ada, greeting, label)
    drafts = [one for one in live_bot.world.bot_messages(chat) if buttons(one)][1:]
    assert [one["text"].split("\n")[0] for one in drafts] == labels
    assert all(plain(say(language, "button_generate")) in buttons(one) for one in drafts)
    assert [task["state"] for task in live_bot.tasks(chat)] == ["draft"] * 3


async def test_the_same_example_twice_in_a_row_is_one_draft(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    greeting = await live_bot.answer(live_bot.world.say(ada, chat, "/start"))
    for _ in range(2):
        await live_bot.tap(ada, greeting, says(EXAMPLES[0]))
    assert len(live_bot.tasks(chat)) == 1
    for forged in ("example:", "example:9", "example:-1", "example:x"):
        assert await live_bot.forged_tap(ada, greeting, forged) == says("press_gone")
