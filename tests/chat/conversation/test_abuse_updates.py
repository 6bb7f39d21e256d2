"""Updates that are not as Telegram's papers say: stored, done or parked at once, and their chats go on."""

from __future__ import annotations

from typing import Any

import pytest
from quiet_log import quiet_log
from running import BotHarness

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARKED = "an unreadable update is parked"
OTHERS: list[dict[str, Any]] = [{}, {"brand_new_kind": {"deep": [1, "two", None]}}, {"brand_new_kind": 1}]
KINDS = ("message", "callback_query", "my_chat_member")


async def test_updates_of_other_kinds_are_passed_over(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with quiet_log(but_for=PARKED):
        sent = [_deliver(live_bot, content) for content in OTHERS]
        await live_bot.handled(ada, chat)
        for update_id in sent:
            await _settled(live_bot, update_id)


@pytest.mark.parametrize(
    "missing", ["message_id", "date", "chat", "from", "text", "entities", ("from", "text"), ("chat", "from")]
)
async def test_a_message_that_lacks_something_holds_nobody_up(
    live_bot: BotHarness, missing: str | tuple[str, ...]
) -> None:
    ada, chat = live_bot.newcomer()
    whole = live_bot.world.say(ada, chat, "/video")
    await live_bot.answer(whole)
    with quiet_log(but_for=PARKED):
        lacking = {name: value for name, value in whole.items() if name not in (missing, *missing)}
        update_id = _deliver(live_bot, {"message": lacking})
        await live_bot.handled(ada, chat)
        await _settled(live_bot, update_id)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"chat": {}},
        {"chat": {"id": 5}},
        {"chat": {"id": "five", "type": "private"}, "message_id": 1, "date": 1},
        {"id": "1"},
        {"id": "1", "from": {}},
        {"id": "1", "data": "generate:x"},
        {"from": {"id": 5, "is_bot": False, "first_name": "x"}},
        {"message_id": 1, "date": "yesterday", "chat": {"id": 5, "type": "private"}},
        {"message_id": 1, "date": 10**18, "chat": {"id": 5, "type": "private"}},
    ],
    ids=lambda content: ",".join(content) or "empty",
)
async def test_what_lacks_nearly_everything_is_done_or_parked_at_once(
    live_bot: BotHarness, kind: str, content: dict[str, Any]
) -> None:
    ada, chat = live_bot.newcomer()
    with quiet_log(but_for=PARKED):
        update_id = _deliver(live_bot, {kind: content})
        await live_bot.handled(ada, chat)
        await _settled(live_bot, update_id)


async def test_a_message_that_holds_much_that_nobody_knows_is_read(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    whole = live_bot.world.say(ada, chat, "/help")
    await live_bot.answer(whole)
    with quiet_log():
        odd = {
            **whole,
            "message_id": whole["message_id"] + 1000,
            "brand_new_field": {"deep": [{}]},
            "entities": [
                {"type": "brand_new_entity", "offset": 0, "length": 5},
                {"type": "bot_command", "offset": 0, "length": 5},
                {"type": "bold", "offset": 5000, "length": 9999},
            ],
            "from": {**whole["from"], "language_code": "tlh-Latn-x-brand-new", "brand_new": 1},
        }
        _deliver(live_bot, {"message": odd})
        live_bot.world.say(ada, chat, "/help")
        await live_bot.until(lambda: len(live_bot.world.bot_messages(chat)) == 3)


def _deliver(live_bot: BotHarness, content: dict[str, Any]) -> int:
    """An update in any form; its number. It is fetched with whatever comes next."""
    updates, update_id = live_bot.world.updates, live_bot.world.updates.next_id
    updates.pending.append({"update_id": update_id, **content})
    updates.next_id += 1
    return update_id


async def _settled(live_bot: BotHarness, update_id: int) -> None:
    """It does not wait to be tried again."""
    row = await live_bot.until(lambda: _tried(live_bot, update_id))
    assert row is not None
    assert row["state"] in ("done", "parked"), row


def _tried(live_bot: BotHarness, update_id: int) -> dict[str, Any] | None:
    found = [one for one in live_bot.rows("updates") if one["update_id"] == update_id]
    return next((row for row in found if row["state"] != "open" or row["attempts"]), None)
