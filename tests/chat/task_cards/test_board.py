"""The card board: an edit is silent, so a person who waited for a while is notified by a short reply."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes import A_MODEL, Clock, a_task, changed_task, made
from media_samples import MADE
from running import open_gate

from bot.chat.cards.eta import Estimator
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.reactions import Reactions
from bot.chat.task_cards.renderer import CardRenderer
from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.media_queue import MediaQueue
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.sent_files import SentFiles
from bot.media.process import run_in_process
from bot.media.remux import take_video
from bot.media.video_cache import Video
from bot.sandbox import Chat, Json, Person, SandboxServer
from bot.store import ChatRecord, ChatSettings
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.text import say
from bot.worker.queue_watch import QueueState
from bot.worker.schedule import Schedule


@dataclass
class Wall:
    """A screen, and the chats on which it shows."""

    server: SandboxServer
    board: CardBoard
    messenger: Messenger
    clock: Clock
    ada: Person
    private: Chat
    group: Chat
    video: Video

    async def go_on(self, chat: Chat) -> None:
        """The chat goes on below the card."""
        said = self.server.world.say(self.ada, chat, "and a ship")
        await self.messenger.heard(chat.id, said["message_id"])

    async def post(self, chat: Chat, task: Task) -> Task:
        asked = self.server.world.say(self.ada, chat, "/video a paper boat")
        task = changed_task(task, chat_id=chat.id, user_id=self.ada.id, user_name="Ada <3")
        return await self.board.post(changed_task(task, card_id=None), asked["message_id"])

    def said(self, chat: Chat) -> list[Json]:
        """What the bot has said there besides the card."""
        return self.server.world.bot_messages(chat)[1:]


@pytest.fixture
async def wall(tmp_path: Path, clip: Path, clock: Clock, store: SQLiteStore) -> AsyncIterator[Wall]:
    film, thumbnail = tmp_path / "film.mp4", tmp_path / "film.jpg"
    facts = await run_in_process(take_video, clip, film, thumbnail, MADE, limit_s=30)

    async def nobody_ahead(_task: Task) -> int:
        return 0

    async def empty_queue(_: Task) -> QueueState:
        return QueueState()

    async with SandboxServer() as server:
        ada = server.world.add_person(Person(7001, "Ada", None, "en"))
        private, group = server.world.private_chat(ada), server.world.add_group("Friends", [ada])
        bot = connect(server.token, server.url, open_gate())
        await bot.initialize()
        models = {A_MODEL.name: A_MODEL}
        preferences = ChatPreferences(store.people, lambda: "en", clock)
        messenger = Messenger(bot, clock, preferences)
        board = CardBoard(
            bot,
            CardRenderer(models, clock, Estimator(nobody_ahead, Schedule(), models, empty_queue)),
            clock,
            messenger=messenger,
            photos=PhotoFiles(SentFiles(bot, tmp_path / "work", clock, MediaQueue()), store.people, models),
            reactions=Reactions(bot, preferences),
        )
        yield Wall(server, board, messenger, clock, ada, private, group, Video(film, thumbnail, facts))
        await bot.shutdown()
        assert server.world.complaints == []


async def test_a_quick_video_calls_nobody(wall: Wall) -> None:
    task = await wall.post(wall.private, made())
    wall.clock.advance(15)
    await wall.board.deliver(task, wall.video)
    assert wall.said(wall.private) == []


async def test_a_video_that_took_a_while_calls_with_a_reply_to_its_card(wall: Wall) -> None:
    task = await wall.post(wall.private, made())
    await wall.go_on(wall.private)
    wall.clock.advance(16)
    await wall.board.deliver(task, wall.video)
    (call,) = wall.said(wall.private)
    assert call["text"] == say("en", "card_ready")
    assert call["reply_to_message"]["message_id"] == task.card.card_id


async def test_a_call_goes_when_the_next_message_comes(wall: Wall) -> None:
    for chat in (wall.private, wall.group):
        task = await wall.post(chat, made())
        await wall.go_on(chat)
        wall.clock.advance(16)
        await wall.board.deliver(task, wall.video)
        (call,) = wall.said(chat)
        await wall.messenger.heard(chat.id, call["message_id"] + 1)
        assert wall.said(chat) == []


async def test_in_private_a_card_right_below_its_message_does_not_quote_it(wall: Wall) -> None:
    for chat, is_quoted in ((wall.private, False), (wall.group, True)):
        asked = wall.server.world.say(wall.ada, chat, "/video a paper boat")
        await wall.messenger.heard(chat.id, asked["message_id"])
        task = changed_task(made(), chat_id=chat.id, user_id=wall.ada.id, card_id=None)
        await wall.board.post(task, asked["message_id"])
        (card,) = wall.server.world.bot_messages(chat)
        assert ("reply_to_message" in card) is is_quoted
    await wall.go_on(wall.private)
    await wall.board.post(changed_task(made(), chat_id=wall.private.id, card_id=None), 1)
    assert wall.server.world.bot_messages(wall.private)[-1]["reply_to_message"]["message_id"] == 1


async def test_a_card_that_is_the_last_message_needs_no_call(wall: Wall) -> None:
    task = await wall.post(wall.private, made())
    wall.clock.advance(120)
    await wall.board.deliver(task, wall.video)
    assert wall.said(wall.private) == []


async def test_the_card_of_a_large_video_says_that_it_is_sent(wall: Wall) -> None:
    task = await wall.post(wall.private, made())
    large = replace(wall.video, facts=replace(wall.video.facts, bytes=17_000_000))
    await wall.board.deliver(task, large)
    calls = wall.server.calls_of("editMessageText", "editMessageMedia")
    assert [call.method for call in calls] == ["editMessageText", "editMessageMedia"]
    assert calls[0].params["text"].endswith(say("en", "card_sending"))
    assert calls[0].params.get("reply_markup") is None


async def test_in_a_group_the_call_mentions_the_person(wall: Wall) -> None:
    task = await wall.post(wall.group, made())
    wall.clock.advance(120)
    await wall.board.deliver(task, wall.video)
    (call,) = wall.said(wall.group)
    assert call["text"] == "Ada <3, your video is ready."
    (mention,) = call["entities"]
    assert (mention["type"], mention["offset"], mention["length"]) == ("text_mention", 0, len("Ada <3"))


async def test_who_wants_no_call_gets_none(wall: Wall, store: SQLiteStore) -> None:
    await store.people.put_chat(ChatRecord(wall.private.id, settings=ChatSettings(notify=False)))
    task = await wall.post(wall.private, made())
    wall.clock.advance(120)
    await wall.board.deliver(task, wall.video)
    assert wall.said(wall.private) == []


async def test_a_video_is_shown_though_the_settings_cannot_be_read(wall: Wall, store: SQLiteStore) -> None:
    task = await wall.post(wall.private, made())
    await wall.go_on(wall.private)
    wall.clock.advance(120)
    await store.close()
    await wall.board.deliver(task, wall.video)
    assert [one["text"] for one in wall.said(wall.private)] == [say("en", "card_ready")]


async def test_in_quiet_mode_nobody_is_called(wall: Wall, store: SQLiteStore) -> None:
    await store.people.put_chat(ChatRecord(wall.group.id, settings=ChatSettings(quiet=True)))
    task = await wall.post(wall.group, made())
    wall.clock.advance(120)
    await wall.board.deliver(task, wall.video)
    assert wall.said(wall.group) == []


async def test_of_several_videos_the_last_one_calls_alone(wall: Wall) -> None:
    first = await wall.post(wall.private, made(batch_id="boat", batch_size=2))
    second = replace(first, id=first.batch_ids[1], batch_place=2)
    second = await wall.board.post(changed_task(second, card_id=None), None)
    wall.board.live.posted(first)
    wall.board.live.posted(second)
    await wall.go_on(wall.private)
    wall.clock.advance(120)
    await wall.board.deliver(first, wall.video)
    (_, below) = wall.server.world.bot_messages(wall.private)
    assert below["message_id"] == second.card.card_id
    await wall.board.deliver(second, wall.video)
    assert wall.said(wall.private)[-1]["reply_to_message"]["message_id"] == second.card.card_id
    assert len(wall.said(wall.private)) == 2
    assert len(wall.board.live) == 0


async def test_a_video_without_a_card_counts_on_none(wall: Wall) -> None:
    task = changed_task(await wall.post(wall.private, made()), card_id=None)
    wall.board.show(task)
    await wall.board.send(task, wall.video)
    assert len(wall.board.live) == 0


async def test_a_refusal_calls_too_and_a_dismissal_does_not(wall: Wall) -> None:
    refused = a_task(state=TaskState.FAILED, error_code="prompt_refused")
    task = await wall.post(wall.private, refused)
    await wall.go_on(wall.private)
    wall.clock.advance(120)
    await wall.board.tell(task)
    assert [one["text"] for one in wall.said(wall.private)] == [say("en", "card_failed")]
    dropped = await wall.post(wall.group, a_task(state=TaskState.CANCELLED, error_code="dismissed"))
    await wall.board.tell(dropped)
    assert wall.said(wall.group) == []
