"""Telegram failing in every way it knows, while a video is on its way: it is shown once, and never lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from provider_server import Fault as ProviderFault
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import CallRecord, Chat, Fault, FaultKind, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_pause_that_telegram_asks_for_is_kept(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    _plan(there, chat, "editMessageMedia", FaultKind.FLOOD, retry_after=3)
    there.world.say(ada, chat, "/video a slow river")
    await there.shown(chat)
    refused, shown = there.edits(chat)
    assert (refused.status, shown.status) == (429, 200)
    assert shown.at - refused.at >= 3
    meanwhile = [call for call in there.server.calls if refused.at < call.at < shown.at]
    assert [call.method for call in meanwhile if call.params.get("chat_id") == chat.id] == []


async def test_a_pause_at_the_card_keeps_progress_silent_and_nobody_elses(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    _plan(there, chat, "editMessageText", FaultKind.FLOOD, retry_after=2)
    with there.unfinished():
        there.world.say(ada, chat, "/video a quiet room")
        await there.until(lambda: there.edits(chat, "editMessageText"))
        there.world.say(boris, his, "/video a loud room")
        await there.until(lambda: len(there.edits(chat, "editMessageText")) > 1)
    refused, repeated = there.edits(chat, "editMessageText")[:2]
    assert refused.status == 429
    assert repeated.at - refused.at >= 2
    assert any(refused.at < call.at < repeated.at for call in there.edits(his, "editMessageText"))
    await there.shown(chat)
    await there.shown(his)


async def test_a_delivery_that_breaks_off_is_repeated_on_the_same_card(there: BotHarness) -> None:
    """Whether it had arrived or not: repeating an edit changes nothing."""
    kinds = (FaultKind.SERVER_ERROR, FaultKind.SERVER_ERROR_AFTER, FaultKind.DROP, FaultKind.DROP_AFTER)
    cards = {}
    for kind in kinds:
        ada, chat = there.newcomer()
        _plan(there, chat, "editMessageMedia", kind)
        cards[kind] = await there.answer(there.world.say(ada, chat, f"/video broken off by {kind.name}"))
    for kind, card in cards.items():
        chat = there.world.chat_of(card)
        (video,) = await there.shown(chat)
        assert video["message_id"] == card["message_id"]
        assert len(there.messages(chat)) == 1
        assert len(there.edits(chat)) == 2
        assert there.jobs(f"broken off by {kind.name}") == 1
    assert len(there.provider.calls("video")) == len(there.provider.jobs)  # fetched once each


async def test_an_answer_that_comes_long_after_the_upload_is_waited_for(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    _plan(there, chat, "editMessageMedia", FaultKind.SLOW, delay_s=5.5)
    there.world.say(ada, chat, "/video a patient snail")
    await there.shown(chat)
    assert len(there.edits(chat)) == 1


async def test_where_the_card_was_deleted_the_video_comes_as_a_new_message_once(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await _lose_card(there, ada, chat, "a lost card")
    (video,) = await there.shown(chat)
    assert video["caption"].startswith("a lost card")
    assert says("button_again") in buttons(video)
    assert len(there.edits(chat, "sendVideo")) == 1
    assert there.jobs("a lost card") == 1


@pytest.mark.parametrize(
    ("kind", "shown"), [(FaultKind.DROP_AFTER, 1), (FaultKind.DROP, 0)], ids=["it arrived", "it did not"]
)
async def test_a_new_message_of_unknown_end_is_never_sent_again_unasked(
    there: BotHarness, kind: FaultKind, shown: int
) -> None:
    ada, chat = there.newcomer()
    prompt = f"perhaps sent by {kind.name}"
    _plan(there, chat, "sendVideo", kind)
    await _lose_card(there, ada, chat, prompt)
    offer = await there.until(
        lambda: [one for one in there.world.bot_messages(chat) if one.get("text") == says("card_offer")]
    )
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    await there.handled(ada, chat)
    assert len(there.videos(chat)) == shown
    assert len(there.edits(chat, "sendVideo")) == 1
    assert await there.tap(ada, offer[0], says("button_send")) == says("tap_done")
    await there.until(lambda: len(there.videos(chat)) == shown + 1)
    await there.until(lambda: there.tasks(chat)[0]["file_id"])
    assert len(there.edits(chat, "sendVideo")) == 2
    assert there.jobs(prompt) == 1


async def test_a_chat_that_blocked_the_bot_is_left_in_peace(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video a closed door")
        await there.job("a closed door")
        there.world.block(ada)
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    (task,) = there.tasks(chat)
    assert (task["state"], task["due_at"]) == ("succeeded", None)
    (delivery,) = there.edits(chat)
    assert delivery.status == 403
    assert [call for call in there.server.calls if call.at > delivery.at and _chat(call) == chat.id] == []


async def test_a_group_that_moved_gets_its_video_in_the_new_one(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Growing", [ada])
    with there.unfinished():
        there.world.say(ada, group, "/video@dreamreel_bot a moving van")
        await there.job("a moving van")
        moved = there.world.upgrade_group(ada, group)
    (video,) = await there.shown(moved)
    assert video["caption"].startswith("a moving van")
    assert there.jobs("a moving van") == 1


async def test_an_outage_of_telegram_passes(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.server.faults.add(Fault("getUpdates", FaultKind.SERVER_ERROR, times=1))
    there.server.faults.add(Fault("getUpdates", FaultKind.DROP, times=1))
    there.world.say(ada, chat, "/video a night without power")  # ends the poll that is under way
    await there.shown(chat)
    there.world.say(ada, chat, "/video and then light")
    await there.shown(chat, 2)
    bad = [call for call in there.server.calls_of("getUpdates") if call.status != 200]
    assert len([call for call in bad if call.status == 502]) == 1


async def test_updates_are_confirmed_only_once_they_are_stored(there: BotHarness) -> None:
    """Asking for what comes after an update is what makes Telegram forget it."""
    unstored: list[int] = []

    def look(params: Json) -> bool:
        stored = {row["update_id"] for row in there.rows("updates")}
        handed_out = {update["update_id"] for update in there.world.updates.history}
        unstored.extend(one for one in handed_out - stored if one < params.get("offset", 0))
        return False

    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    there.server.faults.add(Fault("getUpdates", FaultKind.DROP, times=None, when=look))
    for person, place in ((ada, chat), (boris, his)) * 5:
        there.world.say(person, place, "/start")
    await there.handled(ada, chat)
    await there.handled(boris, his)
    assert unstored == []


async def test_an_update_that_nobody_can_read_holds_up_no_other(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    unreadable = there.world.updates.put("message", {"message_id": 1, "text": "without a chat"})
    assert unreadable is not None
    there.world.say(ada, chat, "/video a clear view")
    await there.shown(chat)
    await there.until(lambda: _attempts(there, unreadable["update_id"]) > 0)


async def test_an_update_that_comes_twice_makes_one_task(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.say(ada, chat, "/video an echo")
    there.world.updates.repeat()
    await there.shown(chat)
    there.world.updates.repeat()
    await there.handled(ada, chat)
    assert len(there.tasks(chat)) == 1
    assert len(there.messages(chat)) == 2  # the video, and the help that was asked for
    assert there.jobs("an echo") == 1


async def test_a_flood_at_the_first_card_is_waited_out(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    _plan(there, chat, "sendMessage", FaultKind.FLOOD, retry_after=1)
    there.world.say(ada, chat, "/video a crowded bus")
    await there.shown(chat)
    assert there.jobs("a crowded bus") == 1


async def test_one_chats_trouble_holds_up_nobody_else(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    _plan(there, chat, "sendMessage", FaultKind.SLOW, delay_s=5.0)
    there.world.say(ada, chat, "/video a traffic jam")
    began = time.monotonic()
    there.world.say(boris, his, "/video a free road")
    await there.shown(his)
    assert time.monotonic() - began < 5.0
    assert there.jobs("a traffic jam") == 0
    await there.shown(chat)


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


async def test_a_look_that_fails_is_no_failed_job(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.provider.next("look", ProviderFault.RESET)
    there.world.say(ada, chat, "/video a blink")
    await there.shown(chat)
    assert there.jobs("a blink") == 1


async def test_a_lost_answer_to_an_order_is_told_and_never_bought_again(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.provider.next("submit", ProviderFault.LOST)
    there.world.say(ada, chat, "/video a lost letter")
    await there.until(lambda: (tasks := there.tasks(chat)) and tasks[0]["delivered_at"])
    (card,) = there.messages(chat)
    assert says("submit_unknown") in card["text"]
    assert list(buttons(card)) == [says("button_try_again_paid")]
    assert there.jobs("a lost letter") == 1


async def test_an_honest_question_is_asked_even_where_its_card_is_refused(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.provider.next("submit", ProviderFault.LOST)
    _plan(there, chat, "editMessageText", FaultKind.BAD_REQUEST, times=None)
    there.world.say(ada, chat, "/video a jammed door")
    await there.until(lambda: (tasks := there.tasks(chat)) and tasks[0]["delivered_at"])
    _card, asked = there.messages(chat)
    assert says("submit_unknown") in asked["text"]
    assert list(buttons(asked)) == [says("button_try_again_paid")]
    there.server.faults.clear()
    await there.tap(ada, asked, says("button_try_again_paid"))
    await there.shown(chat)


async def test_a_card_that_cannot_become_the_video_makes_room_for_a_new_message(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    _plan(there, chat, "editMessageMedia", FaultKind.BAD_REQUEST, times=None)
    there.world.say(ada, chat, "/video a stuck door")
    (video,) = await there.shown(chat)
    assert there.world.bot_messages(chat) == [video]


def _plan(there: BotHarness, chat: Chat, method: str, kind: FaultKind, **how: float | None) -> None:
    there.server.faults.add(
        Fault(method, kind, when=lambda params: params.get("chat_id") == chat.id, **how)  # type: ignore[arg-type]
    )


async def _lose_card(there: BotHarness, person: Person, chat: Chat, prompt: str) -> None:
    """Somebody deletes the card while its video is being made."""
    with there.unfinished():
        card: Json = await there.answer(there.world.say(person, chat, f"/video {prompt}"))
        await there.job(prompt)
        there.world.remove(chat, card["message_id"])


def _attempts(there: BotHarness, update_id: int) -> int:
    (attempts,) = [row["attempts"] for row in there.rows("updates") if row["update_id"] == update_id]
    return int(attempts)


def _chat(call: CallRecord) -> object:
    return call.params.get("chat_id")
