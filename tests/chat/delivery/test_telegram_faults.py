"""Telegram failing in every way it knows, while a video is on its way: it is shown once, and never lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from provider_server import Fault as ProviderFault
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import CallRecord, Chat, Fault, FaultKind, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_pause_that_telegram_asks_for_is_kept(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    _plan(live_bot, chat, "editMessageMedia", FaultKind.FLOOD, retry_after=3)
    live_bot.world.say(ada, chat, "/video a slow river")
    await live_bot.shown(chat)
    refused, shown = live_bot.edits(chat)
    assert (refused.status, shown.status) == (429, 200)
    assert shown.at - refused.at >= 3
    meanwhile = [call for call in live_bot.server.calls if refused.at < call.at < shown.at]
    assert [call.method for call in meanwhile if call.params.get("chat_id") == chat.id] == []


async def test_a_pause_at_the_card_keeps_progress_silent_and_nobody_elses(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    _plan(live_bot, chat, "editMessageText", FaultKind.FLOOD, retry_after=2)
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video a quiet room")
        await live_bot.until(lambda: live_bot.edits(chat, "editMessageText"))
        live_bot.world.say(boris, his, "/video a loud room")
        await live_bot.until(lambda: len(live_bot.edits(chat, "editMessageText")) > 1)
    refused, repeated = live_bot.edits(chat, "editMessageText")[:2]
    assert refused.status == 429
    assert repeated.at - refused.at >= 2
    assert any(refused.at < call.at < repeated.at for call in live_bot.edits(his, "editMessageText"))
    await live_bot.shown(chat)
    await live_bot.shown(his)


async def test_a_delivery_that_breaks_off_is_repeated_on_the_same_card(live_bot: BotHarness) -> None:
    """Whether it had arrived or not: repeating an edit changes nothing."""
    kinds = (FaultKind.SERVER_ERROR, FaultKind.SERVER_ERROR_AFTER, FaultKind.DROP, FaultKind.DROP_AFTER)
    cards = {}
    for kind in kinds:
        ada, chat = live_bot.newcomer()
        _plan(live_bot, chat, "editMessageMedia", kind)
        cards[kind] = await live_bot.answer(
            live_bot.world.say(ada, chat, f"/video broken off by {kind.name}")
        )
    for kind, card in cards.items():
        chat = live_bot.world.chat_of(card)
        (video,) = await live_bot.shown(chat)
        assert video["message_id"] == card["message_id"]
        assert len(live_bot.messages(chat)) == 1
        assert len(live_bot.edits(chat)) == 2
        assert live_bot.jobs(f"broken off by {kind.name}") == 1
    assert len(live_bot.provider.calls("video")) == len(live_bot.provider.jobs)  # fetched once each


async def test_an_answer_that_comes_long_after_the_upload_is_waited_for(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    _plan(live_bot, chat, "editMessageMedia", FaultKind.SLOW, delay_s=5.5)
    live_bot.world.say(ada, chat, "/video a patient snail")
    await live_bot.shown(chat)
    assert len(live_bot.edits(chat)) == 1


async def test_where_the_card_was_deleted_the_video_comes_as_a_new_message_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _lose_card(live_bot, ada, chat, "a lost card")
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("a lost card")
    assert says("button_again") in buttons(video)
    assert len(live_bot.edits(chat, "sendVideo")) == 1
    assert live_bot.jobs("a lost card") == 1


@pytest.mark.parametrize(
    ("kind", "shown"), [(FaultKind.DROP_AFTER, 1), (FaultKind.DROP, 0)], ids=["it arrived", "it did not"]
)
async def test_a_new_message_of_unknown_end_is_never_sent_again_unasked(
    live_bot: BotHarness, kind: FaultKind, shown: int
) -> None:
    ada, chat = live_bot.newcomer()
    prompt = f"perhaps sent by {kind.name}"
    _plan(live_bot, chat, "sendVideo", kind)
    await _lose_card(live_bot, ada, chat, prompt)
    offer = await live_bot.until(
        lambda: [one for one in live_bot.world.bot_messages(chat) if one.get("text") == says("card_offer")]
    )
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    await live_bot.handled(ada, chat)
    assert len(live_bot.videos(chat)) == shown
    assert len(live_bot.edits(chat, "sendVideo")) == 1
    assert await live_bot.tap(ada, offer[0], says("button_send")) == says("press_done")
    await live_bot.until(lambda: len(live_bot.videos(chat)) == shown + 1)
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["file_id"])
    assert len(live_bot.edits(chat, "sendVideo")) == 2
    assert live_bot.jobs(prompt) == 1


async def test_a_chat_that_blocked_the_bot_is_left_in_peace(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video a closed door")
        await live_bot.job("a closed door")
        live_bot.world.block(ada)
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    (task,) = live_bot.tasks(chat)
    assert (task["state"], task["due_at"]) == ("succeeded", None)
    (delivery,) = live_bot.edits(chat)
    assert delivery.status == 403
    assert [call for call in live_bot.server.calls if call.at > delivery.at and _chat(call) == chat.id] == []


async def test_a_group_that_moved_gets_its_video_in_the_new_one(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Growing", [ada])
    with live_bot.unfinished():
        live_bot.world.say(ada, group, "/video@dreamreel_bot a moving van")
        await live_bot.job("a moving van")
        moved = live_bot.world.upgrade_group(ada, group)
    (video,) = await live_bot.shown(moved)
    assert video["caption"].startswith("a moving van")
    assert live_bot.jobs("a moving van") == 1


async def test_an_outage_of_telegram_passes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(Fault("getUpdates", FaultKind.SERVER_ERROR, times=1))
    live_bot.server.faults.add(Fault("getUpdates", FaultKind.DROP, times=1))
    live_bot.world.say(ada, chat, "/video a night without power")  # ends the poll that is under way
    await live_bot.shown(chat)
    live_bot.world.say(ada, chat, "/video and then light")
    await live_bot.shown(chat, 2)
    bad = [call for call in live_bot.server.calls_of("getUpdates") if call.status != 200]
    assert len([call for call in bad if call.status == 502]) == 1


async def test_updates_are_confirmed_only_once_they_are_stored(live_bot: BotHarness) -> None:
    """Asking for what comes after an update is what makes Telegram forget it."""
    unstored: list[int] = []

    def poll(params: Json) -> bool:
        stored = {row["update_id"] for row in live_bot.rows("updates")}
        handed_out = {update["update_id"] for update in live_bot.world.updates.history}
        unstored.extend(one for one in handed_out - stored if one < params.get("offset", 0))
        return False

    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    live_bot.server.faults.add(Fault("getUpdates", FaultKind.DROP, times=None, when=poll))
    for person, place in ((ada, chat), (boris, his)) * 5:
        live_bot.world.say(person, place, "/start")
    await live_bot.handled(ada, chat)
    await live_bot.handled(boris, his)
    assert unstored == []


async def test_an_update_that_nobody_can_read_holds_up_no_other(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    unreadable = live_bot.world.updates.put("message", {"message_id": 1, "text": "without a chat"})
    assert unreadable is not None
    live_bot.world.say(ada, chat, "/video a clear view")
    await live_bot.shown(chat)
    await live_bot.until(lambda: _attempts(live_bot, unreadable["update_id"]) > 0)


async def test_an_update_that_comes_twice_makes_one_task(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video an echo")
    live_bot.world.updates.repeat()
    await live_bot.shown(chat)
    live_bot.world.updates.repeat()
    await live_bot.handled(ada, chat)
    assert len(live_bot.tasks(chat)) == 1
    assert len(live_bot.messages(chat)) == 2  # the video, and the help that was asked for
    assert live_bot.jobs("an echo") == 1


async def test_a_flood_at_the_first_card_is_waited_out(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    _plan(live_bot, chat, "sendMessage", FaultKind.FLOOD, retry_after=1)
    live_bot.world.say(ada, chat, "/video a crowded bus")
    await live_bot.shown(chat)
    assert live_bot.jobs("a crowded bus") == 1


async def test_one_chats_trouble_holds_up_nobody_else(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    _plan(live_bot, chat, "sendMessage", FaultKind.SLOW, delay_s=5.0)
    live_bot.world.say(ada, chat, "/video a traffic jam")
    began = time.monotonic()
    live_bot.world.say(boris, his, "/video a free road")
    await live_bot.shown(his)
    assert time.monotonic() - began < 5.0
    assert live_bot.jobs("a traffic jam") == 0
    await live_bot.shown(chat)


async def test_uploads_that_hang_hold_up_no_other_chat(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, volcengine_concurrency="8") as other:
        people = [other.newcomer(f"Person {number}") for number in range(7)]
        hanging = {chat.id for _, chat in people}
        other.server.faults.add(
            Fault(
                "editMessageMedia", FaultKind.SLOW, times=None, when=lambda call: call["chat_id"] in hanging
            )
        )
        for person, chat in people:
            other.world.say(person, chat, "/video a long tunnel")
        await other.until(lambda: all(other.edits(chat) for _, chat in people))
        boris, his = other.newcomer("Boris")
        other.world.say(boris, his, "/video a free road")
        await other.shown(his)
        assert [task["chat_id"] for task in other.rows("tasks") if task["delivered_at"]] == [his.id]


async def test_a_poll_that_fails_is_no_failed_job(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("poll", ProviderFault.RESET)
    live_bot.world.say(ada, chat, "/video a blink")
    await live_bot.shown(chat)
    assert live_bot.jobs("a blink") == 1


async def test_a_lost_answer_to_an_order_is_told_and_never_bought_again(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("submit", ProviderFault.LOST)
    live_bot.world.say(ada, chat, "/video a lost letter")
    await live_bot.until(lambda: (tasks := live_bot.tasks(chat)) and tasks[0]["delivered_at"])
    (card,) = live_bot.messages(chat)
    assert says("submit_unknown") in card["text"]
    assert list(buttons(card)) == [says("button_try_again_paid")]
    assert live_bot.jobs("a lost letter") == 1


async def test_an_honest_question_is_asked_even_where_its_card_is_refused(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("submit", ProviderFault.LOST)
    _plan(live_bot, chat, "editMessageText", FaultKind.BAD_REQUEST, times=None)
    live_bot.world.say(ada, chat, "/video a jammed door")
    await live_bot.until(lambda: (tasks := live_bot.tasks(chat)) and tasks[0]["delivered_at"])
    _card, asked = live_bot.messages(chat)
    assert says("submit_unknown") in asked["text"]
    assert list(buttons(asked)) == [says("button_try_again_paid")]
    live_bot.server.faults.clear()
    await live_bot.tap(ada, asked, says("button_try_again_paid"))
    await live_bot.shown(chat)


async def test_a_card_that_cannot_become_the_video_makes_room_for_a_new_message(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    _plan(live_bot, chat, "editMessageMedia", FaultKind.BAD_REQUEST, times=None)
    live_bot.world.say(ada, chat, "/video a stuck door")
    (video,) = await live_bot.shown(chat)
    assert live_bot.world.bot_messages(chat) == [video]


def _plan(live_bot: BotHarness, chat: Chat, method: str, kind: FaultKind, **how: float | None) -> None:
    live_bot.server.faults.add(
        Fault(method, kind, when=lambda params: params.get("chat_id") == chat.id, **how)  # type: ignore[arg-type]
    )


async def _lose_card(live_bot: BotHarness, person: Person, chat: Chat, prompt: str) -> None:
    """Somebody deletes the card while its video is being made."""
    with live_bot.unfinished():
        card: Json = await live_bot.answer(live_bot.world.say(person, chat, f"/video {prompt}"))
        await live_bot.job(prompt)
        live_bot.world.remove(chat, card["message_id"])


def _attempts(live_bot: BotHarness, update_id: int) -> int:
    (attempts,) = [row["attempts"] for row in live_bot.rows("updates") if row["update_id"] == update_id]
    return int(attempts)


def _chat(call: CallRecord) -> object:
    return call.params.get("chat_id")
