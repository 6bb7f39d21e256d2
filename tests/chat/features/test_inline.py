"""Inline mode: one's own videos in any chat, found by their words, and a draft of words that fit none."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from films import film
from pictures import photo
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage
from structlog.testing import capture_logs

from bot.chat.features.inline import PAGE
from bot.sandbox import Chat, Fault, FaultKind, Json, Person
from bot.sandbox.inline import InlineAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), open_tasks_per_user="20") as made:
        made.world.set_inline(on=True)
        yield made


async def test_nothing_typed_offers_ones_own_newest_videos_of_every_chat(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    first = await _made(live_bot, ada, chat, "/video a copper kettle")
    second = await _made(live_bot, ada, group, "/video@dreamreel_bot a tin whistle")
    await _made(live_bot, boris, his, "/video a secret of Boris")
    answer = await _asked(live_bot, ada, _outside(live_bot, ada), "")
    assert [one["title"] for one in answer.results] == ["a tin whistle", "a copper kettle"]
    assert [one["video_file_id"] for one in answer.results] == [_file(second), _file(first)]
    assert answer.results[0]["description"].startswith("jimeng-pro · 16:9 · 5 s")
    assert (answer.button, answer.next_offset) == (None, "")


async def test_a_chosen_video_is_sent_without_an_upload_and_without_its_words(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a stone bridge")
    outside, calls = _outside(live_bot, ada), len(live_bot.server.calls)
    sent = await _sent(live_bot, ada, outside, "")
    assert (_file(sent), sent["via_bot"]["username"]) == (_file(video), "dreamreel_bot")
    assert "caption" not in sent
    assert not [call for call in live_bot.server.calls[calls:] if call.method.startswith("send")]


async def test_words_find_videos_and_offer_to_make_one_of_them(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video Синий Кит")
    await _made(live_bot, ada, chat, "/video a fox")
    answer = await _asked(live_bot, ada, _outside(live_bot, ada), "синий  КИТ")
    assert [one["title"] for one in answer.results] == ["Синий Кит"]
    assert answer.button is not None
    assert answer.button["text"] == says("inline_make", words="синий КИТ")


async def test_the_button_opens_a_draft_of_the_words_and_buys_nothing(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    # The question that a photo opens takes the next words, but not these.
    asked = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    await _asked(live_bot, ada, _outside(live_bot, ada), "a paper")
    answer = await _asked(live_bot, ada, _outside(live_bot, ada), "a paper <lantern> 9:16 10s")
    assert answer.button is not None
    live_bot.world.say(ada, chat, f"/start {answer.button['start_parameter']}")
    draft = await live_bot.answer(asked, containing="a paper <lantern>")
    assert draft["text"].startswith("a paper <lantern>\njimeng-pro · 9:16 · 10 s")
    assert says("button_generate") in buttons(draft)
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a paper <lantern>") == 0
    assert len([row for row in live_bot.rows("recipes") if row["user_id"] == ada.id]) == 1


async def test_videos_come_page_by_page(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video tale")
    _copied(live_bot, chat, PAGE)
    outside = _outside(live_bot, ada)
    first = await _asked(live_bot, ada, outside, "tale")
    assert (len(first.results), first.next_offset) == (PAGE, str(PAGE))
    second = await _asked(live_bot, ada, outside, "tale", first.next_offset)
    assert (len(second.results), second.next_offset, second.button) == (1, "", None)
    seen = {one["id"] for one in [*first.results, *second.results]}
    assert len(seen) == PAGE + 1
    for forged in ("-7", "x", "9" * 30, str(2**62)):
        await _asked(live_bot, ada, outside, "tale", forged)


async def test_a_video_that_telegram_took_for_an_animation_is_offered_as_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video a silent film")
    sent = live_bot.world.send_video(ada, live_bot.world.add_group("Friends", [ada]), film())
    file_id = next(sent[kind]["file_id"] for kind in ("video", "animation") if kind in sent)
    with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database:
        database.execute("UPDATE tasks SET file_id = ? WHERE chat_id = ?", [file_id, chat.id])
        database.commit()
    chosen = await _sent(live_bot, ada, _outside(live_bot, ada), "silent")
    assert chosen["animation"]["file_id"] == file_id


async def test_what_was_deleted_or_forgotten_is_never_offered(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    kept = await _made(live_bot, ada, chat, "/video a kept promise")
    deleted = await _made(live_bot, ada, chat, "/video a broken promise")
    outside, task = _outside(live_bot, ada), live_bot.tasks(chat)[1]
    assert len((await _asked(live_bot, ada, outside, "promise")).results) == 2
    await live_bot.tap(ada, deleted, says("button_delete"))
    answer = await _asked(live_bot, ada, outside, "promise")
    assert [one["video_file_id"] for one in answer.results] == [_file(kept)]
    assert (await _asked(live_bot, ada, outside, f"#{task['id']}")).results == []
    asked = await live_bot.answer(
        live_bot.world.say(ada, chat, "/forget"), containing=says("forget_ask")[:20]
    )
    await live_bot.tap(ada, asked, says("button_forget"))
    answer = await _asked(live_bot, ada, outside, "")
    assert answer.results == []
    assert answer.button == {"text": says("inline_none"), "start_parameter": "inline"}


async def test_the_id_of_a_video_finds_it_for_its_owner_alone(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    await _made(live_bot, ada, chat, "/video a quiet pond")
    video = await _made(live_bot, ada, chat, "/video a loud pond")
    query = f"#{live_bot.tasks(chat)[1]['id']}"
    answer = await _asked(live_bot, ada, _outside(live_bot, ada), query)
    assert [one["video_file_id"] for one in answer.results] == [_file(video)]
    answer = await _asked(live_bot, boris, _outside(live_bot, boris), query)
    assert answer.results == []
    assert answer.button == {"text": says("inline_gone"), "start_parameter": "inline"}


async def test_share_lets_a_person_choose_a_chat_for_the_video_itself(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video another heron")
    video = await _made(live_bot, ada, chat, "/video a grey heron")
    shared = await _shared(live_bot, ada, video)
    assert says("recipe_sends_video") in shared["text"]
    chosen = _key(shared, says("button_share"))["switch_inline_query_chosen_chat"]
    kinds = {name for name, is_allowed in chosen.items() if is_allowed is True}
    assert kinds == {"allow_user_chats", "allow_group_chats", "allow_channel_chats"}
    assert _file(await _sent(live_bot, ada, _outside(live_bot, ada), chosen["query"])) == _file(video)


async def test_share_sends_the_link_where_inline_mode_is_off(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a white heron")
    live_bot.world.set_inline(on=False)
    shared = await _shared(live_bot, ada, video)
    live_bot.world.set_inline(on=True)
    assert says("recipe_sends_video") not in shared["text"]
    assert _key(shared, says("button_share"))["url"].startswith("https://t.me/share/url?")


async def test_a_video_that_a_person_sends_by_inline_mode_asks_the_bot_for_nothing(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video a paper plane")
    before = len(live_bot.world.bot_messages(chat))
    await _sent(live_bot, ada, chat, "")
    await live_bot.handled(ada, chat)
    assert len(live_bot.world.bot_messages(chat)) == before + 1  # the help that shows that all was handled
    assert len(live_bot.tasks(chat)) == 1


async def test_a_query_that_is_too_old_is_no_error(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    outside = _outside(live_bot, ada)
    too_old = "query is too old and response timeout expired or query ID is invalid"
    live_bot.server.faults.add(Fault("answerInlineQuery", FaultKind.BAD_REQUEST, description=too_old))
    with capture_logs() as lines:
        refused = live_bot.world.ask_inline(ada, outside, "late")
        await live_bot.until(
            lambda: [call for call in live_bot.server.calls_of("answerInlineQuery") if call.error]
        )
        assert not refused.answered.done()
        assert (await _asked(live_bot, ada, outside, "")).button is not None
    assert {line["log_level"] for line in lines} <= {"debug", "info"}


async def test_a_query_is_not_stored_and_the_newest_one_is_answered(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    outside, before = _outside(live_bot, ada), len(live_bot.rows("updates"))
    typed = [live_bot.world.ask_inline(ada, outside, "a paper boat"[:end]) for end in range(1, 13)]
    async with asyncio.timeout(20):
        await typed[-1].answered
    assert len(live_bot.rows("updates")) == before
    (row,) = [row for row in live_bot.rows("recipes") if row["user_id"] == ada.id]
    assert "a paper boat" in row["request"]


async def test_queries_that_telegram_does_not_answer_stand_in_no_orders_way(live_bot: BotHarness) -> None:
    live_bot.server.faults.add(Fault("answerInlineQuery", FaultKind.SLOW, times=6, delay_s=None))
    people = [live_bot.newcomer() for _ in range(6)]
    for person, _ in people:
        live_bot.world.ask_inline(person, _outside(live_bot, person), "a boat")
    ada, chat = people[0]
    await _made(live_bot, ada, chat, "/video a swift swallow")
    live_bot.server.faults.clear()


@pytest.mark.asyncio(loop_scope="function")
async def test_strangers_and_banned_people_read_one_sentence(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, allowed_users="7001,7002", admin_users="7001") as live_bot:
        live_bot.world.set_inline(on=True)
        ada, chat = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        stranger, _ = live_bot.newcomer("Dora")
        await _made(live_bot, boris, his, "/video a locked door")
        await live_bot.answer(live_bot.world.say(ada, chat, f"/ban {boris.id}"))
        for person in (boris, stranger):
            for words in ("", "a locked door"):
                answer = await _asked(live_bot, person, _outside(live_bot, person), words)
                assert answer.results == []
                assert answer.button == {"text": says("inline_private"), "start_parameter": "inline"}
        assert live_bot.rows("recipes") == []


@pytest.mark.asyncio(loop_scope="function")
async def test_who_may_ask_in_a_group_alone_shares_the_link(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        live_bot.world.set_inline(on=True)
        ada, _ = live_bot.newcomer()
        group = live_bot.world.add_group("Friends", [ada])
        async with running_bot(live_bot.values(allowed_users="1", allowed_chats=str(group.id))):
            video = await _made(live_bot, ada, group, "/video@dreamreel_bot a red heron")
            assert says("recipe_sends_video") not in (await _shared(live_bot, ada, video))["text"]


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("is_on", [True, False])
async def test_the_help_names_inline_mode_where_it_is_on(tmp_path: Path, is_on: bool) -> None:
    async with stage(tmp_path) as live_bot:
        live_bot.world.set_inline(on=is_on)
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            answer = await live_bot.answer(live_bot.world.say(ada, chat, "/help"))
            assert (says("help_inline", bot=BOT) in answer["text"]) is is_on


def _outside(live_bot: BotHarness, person: Person) -> Chat:
    """A group in which the bot is no member."""
    return live_bot.world.add_group("Weekend", [person], with_bot=False)


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    before = len(live_bot.videos(chat))
    live_bot.world.say(person, chat, words)
    return (await live_bot.shown(chat, before + 1))[before]


async def _asked(
    live_bot: BotHarness, person: Person, chat: Chat, words: str, offset: str = ""
) -> InlineAnswer:
    asked = live_bot.world.ask_inline(person, chat, words, offset)
    async with asyncio.timeout(20):
        return await asked.answered


async def _sent(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    asked = live_bot.world.ask_inline(person, chat, words)
    async with asyncio.timeout(20):
        answer = await asked.answered
    return live_bot.world.choose(person, chat, asked.id, answer.results[0]["id"])


async def _shared(live_bot: BotHarness, person: Person, video: Json) -> Json:
    await live_bot.tap(person, video, says("button_share"))
    return await live_bot.answer(video, containing="?start=r_")


def _key(message: Json, label: str) -> Json:
    rows = message["reply_markup"]["inline_keyboard"]
    found: Json = next(one for row in rows for one in row if one["text"] == label)
    return found


def _file(message: Json) -> str:
    return str(message["video"]["file_id"])


def _copied(live_bot: BotHarness, chat: Chat, many: int) -> None:
    """As if the one video of a chat had been made so many times more."""
    (task,) = live_bot.tasks(chat)
    with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database:
        columns = ", ".join(task)
        marks = ", ".join("?" * len(task))
        for number in range(many):
            copied = task | {"id": f"copy-{number}", "update_id": None, "remote_id": None}
            database.execute(f"INSERT INTO tasks ({columns}) VALUES ({marks})", list(copied.values()))
        database.commit()
