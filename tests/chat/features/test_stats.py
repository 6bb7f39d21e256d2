"""/stats in the whole bot: a picture with a few words, everybody for admins, of one's own for others."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image
from running import BOT, BotHarness, bot_on_stage, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADMIN_ID = 6001


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def live_bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """Two people have had a video each."""
    prices = "jimeng-pro=0.50,preview=0"
    async with bot_on_stage(
        tmp_path_factory.mktemp("bot"), admin_users=str(ADMIN_ID), model_prices=prices
    ) as made:
        for name in ("Ada", "Boris"):
            person, chat = made.newcomer(name)
            made.world.say(person, chat, f"/video a hat for {name}")
            await made.shown(chat)
        yield made
        assert made.world.complaints == []


async def stats(live_bot: BotHarness, person: Person, chat: Chat, words: str = "/stats") -> Json:
    said = live_bot.world.say(person, chat, words)

    def answers() -> list[Json]:
        found = live_bot.world.bot_messages(chat)
        return [
            one for one in found if one["message_id"] > said["message_id"] and not one.get("reply_markup")
        ]

    return (await live_bot.until(answers))[0]


async def test_an_admin_sees_all_that_was_made_and_what_it_cost(live_bot: BotHarness) -> None:
    admin = live_bot.world.add_person(Person(ADMIN_ID, "Olga", None, "en"))
    message = await stats(live_bot, admin, live_bot.world.private_chat(admin))
    caption = message["caption"]
    assert "The last 14 days, everybody" in caption
    assert "2 requests, 2 made" in caption
    assert "Spent: 1" in caption
    assert "Ada 1" in caption
    assert "Boris 1" in caption
    assert "From request to video: half within" in caption
    stored = live_bot.world.files.get(message["photo"][-1]["file_id"])
    assert stored is not None
    assert Image.open(io.BytesIO(stored.path.read_bytes())).size[0] >= 1000


async def test_a_person_sees_their_own_alone(live_bot: BotHarness) -> None:
    person, chat = live_bot.newcomer("Chiara")
    message = await stats(live_bot, person, chat)
    assert message["text"] == says("stats_none", days=14)
    live_bot.world.say(person, chat, "/video a boat")
    await live_bot.shown(chat)
    caption = (await stats(live_bot, person, chat))["caption"]
    assert "Your last 14 days" in caption
    assert "1 request, 1 made" in caption
    assert "Ada" not in caption


async def test_in_a_group_an_admin_tells_nothing_of_others(live_bot: BotHarness) -> None:
    admin = live_bot.world.add_person(Person(ADMIN_ID, "Olga", None, "en"))
    group = live_bot.world.add_group("A group", [admin])
    message = await stats(live_bot, admin, group, f"/stats@{BOT}")
    assert message["text"] == says("stats_none", days=14)
