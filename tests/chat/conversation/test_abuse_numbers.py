"""Abuse by long numbers and long words: each is answered at its first try, and nobody else waits for that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from quiet_log import quiet_log
from running import BOT, BotHarness, bot_on_stage, says
from test_abuse_buttons import taps_of, verbs

from bot.admin.live_settings import CHANGEABLE
from bot.chat.features import FEATURES
from bot.chat.parsing.prompt_options import FLAGS
from bot.chat.telegram_io.flood_control import PRESSES
from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMANDS = sorted(
    {command.name for feature in FEATURES for command in feature.COMMANDS} - {"resume", "forget"}
)
OWNER = Person(501, "Olga", None, "en")
LONG = {
    "letters": "x" * 3900,
    "wide letters": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 2000,
    "half an emoji": "\U0001f600" * 1900,
    "30 digits": "9" * 30,
    "300 digits": "9" * 300,
    "3900 digits": "9" * 3900,
    "below zero": "-" + "9" * 40,
    "a sign": "+" + "9" * 19,
    "64 bits and one": str(2**63),
    "Arabic digits": "\N{ARABIC-INDIC DIGIT NINE}" * 50,
    "powers": "1e999",
    "no number": "nan",
    "fractions": "9" * 200 + "." + "9" * 200,
    "two numbers": "9" * 18 + " " + "9" * 300,
    "ratios": "9" * 30 + ":" + "9" * 30,
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """With an admin, whose commands others cannot give."""
    folder = tmp_path_factory.mktemp("bot")
    async with bot_on_stage(folder, admin_users=str(OWNER.id), open_tasks_per_user="unlimited") as made:
        made.world.add_person(OWNER)
        yield made
        assert made.world.complaints == []


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with quiet_log():
        yield


async def _settled(live_bot: BotHarness) -> None:
    """Every update has been handled, at the first try."""

    def is_over() -> bool:
        rows = live_bot.rows("updates")
        assert all(row["attempts"] == 0 for row in rows)
        return len(rows) == live_bot.world.updates.next_id - 1 and all(row["state"] == "done" for row in rows)

    await live_bot.until(is_over)


async def _say(live_bot: BotHarness, person: Person, chat: Chat, texts: list[str]) -> None:
    """Slowly enough to be no flood, by the messages' own times."""
    date = live_bot.world.say(person, chat, "/start")["date"]
    for number, text in enumerate(texts, 1):
        live_bot.world.say(person, chat, text, date=date + 2 * number)
    await _settled(live_bot)
    assert len(live_bot.world.bot_messages(chat)) > len(texts) // 2


@pytest.mark.parametrize("value", LONG.values(), ids=LONG)
async def test_options_of_any_length_are_answered_at_once(live_bot: BotHarness, value: str) -> None:
    ada, chat = live_bot.newcomer()
    texts = [f"/video a hat --{flag} {value}"[:4096] for flag in FLAGS]
    texts += [f"/video a hat --{value}"[:4096], f"a hat {value}s"[:4096], f"/{value}"[:4096]]
    with live_bot.unfinished():
        await _say(live_bot, ada, chat, texts)


@pytest.mark.parametrize("value", LONG.values(), ids=LONG)
async def test_what_stands_behind_a_command_may_be_of_any_length(live_bot: BotHarness, value: str) -> None:
    owners = live_bot.world.private_chat(OWNER)
    texts = [
        f"/{command} {value}"[:4096]
        for command in sorted(
            {command.name for feature in FEATURES for command in feature.COMMANDS} - {"resume", "forget"}
        )
    ]
    texts += [f"/start {value}"[:4096], f"/start r_{value}"[:4096]]
    with live_bot.unfinished():
        await _say(live_bot, OWNER, owners, texts)


@pytest.mark.parametrize("name", CHANGEABLE)
async def test_no_setting_takes_what_would_break_answers_later(live_bot: BotHarness, name: str) -> None:
    owners = live_bot.world.private_chat(OWNER)
    for value in LONG.values():
        await _say(
            live_bot, OWNER, owners, [f"/set {name} {value}"[:4096], "/set", "/allow", f"/set {name} default"]
        )


@pytest.mark.parametrize(
    "number",
    ["9" * 30, "-" + "9" * 30, str(2**63), "9" * 55, "1e9", "\N{ARABIC-INDIC DIGIT NINE}" * 25],
    ids=["30", "below zero", "64 bits and one", "55", "power", "Arabic"],
)
async def test_a_tap_with_numbers_of_any_length_is_answered_at_once(
    live_bot: BotHarness, number: str
) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a tapped hat"))
    (task,) = await live_bot.until(lambda: live_bot.tasks(chat))
    shapes = (number, f"{ada.id}:{number}", f"{number}:{number}", f"{number}:allow", f"{task['id']}:{number}")
    every = [f"{verb}:{shape}" for verb in verbs() for shape in shapes]
    forged = [data for data in every if len(data.encode()) <= 64]
    with live_bot.unfinished():
        for start in range(0, len(forged), PRESSES):
            someone, _ = live_bot.newcomer()
            await taps_of(live_bot, someone, draft, forged[start : start + PRESSES])
            await taps_of(live_bot, OWNER, draft, forged[start : start + 1])
        await _settled(live_bot)
    assert live_bot.jobs("a tapped hat") == 0


async def test_nobody_else_in_the_chat_waits_for_a_long_number(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    card = await live_bot.answer(live_bot.world.say(ada, group, f"/help@{BOT}"))
    query = live_bot.world.callbacks.open(
        ada, group, live_bot.world.view(group, card, for_bot=True), f"history:{ada.id}:{'9' * 30}"
    )
    live_bot.world.updates.put("callback_query", query)
    live_bot.world.say(ada, group, f"/video@{BOT} a hat --model {'x' * 4000}")
    live_bot.world.say(ada, group, f"/video@{BOT} a hat --seconds {'9' * 300}")
    await live_bot.answer(live_bot.world.say(boris, group, f"/help@{BOT}"), containing="Options:")
    await _settled(live_bot)
    answered = [call for call in live_bot.server.calls_of("answerCallbackQuery") if call.ok]
    assert says("press_gone") in [call.params.get("text") for call in answered]
