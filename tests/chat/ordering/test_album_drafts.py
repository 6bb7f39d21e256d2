"""Albums: how a draft gathers photos that come one by one, and when the worker takes it up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fakes import A_MODEL, FULL_MODEL, NOW, Clock, Script, WorkerHarness, a_task, changed_task

from bot.chat.cards.motion_suggestions import motion_rows, motion_words
from bot.chat.cards.photo_picker import (
    chosen_photos,
    draw_which,
    fit_references,
    fit_two_photos,
    may_add_last,
    only_rows,
)
from bot.chat.ordering.albums import Album, Albums, read_album
from bot.chat.parsing.message_intent import Intent, SentPhoto, Wish
from bot.chat.sender import Sender
from bot.draft import DraftQuestion
from bot.errors import CallUnclear, ChatBusy, ChatGone, StaleTask
from bot.request import Mode, VideoRequest
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.text import LANGUAGES
from bot.worker import schedule

FIRST_LAST = replace(FULL_MODEL, name="full", references=0)
MODELS = {"jimeng-pro": A_MODEL, "full": FIRST_LAST}
ONE_PHOTO_ONLY = {"jimeng-pro": A_MODEL}
REFERENCES_ONLY = replace(FULL_MODEL, name="refs", modes=frozenset({Mode.REFERENCES}), references=3)


class Drafts:
    """What `Drafts.gather` of the bot does, and how often the worker was woken."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self.woken = 0

    async def gather(self, sender: Sender, request: VideoRequest, question: str, due_at: Any) -> None:
        row = a_task(state=TaskState.DRAFT, card_id=None, album_id=sender.album_id, request=request)
        row = changed_task(
            row,
            message_id=sender.message_id,
            update_id=sender.update_id,
            created_at=sender.sent_at,
        )
        await self._store.tasks.add(replace(row, question=question, due_at=due_at))

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def drafts(store: SQLiteStore) -> Drafts:
    return Drafts(store)


@pytest.fixture
def albums(store: SQLiteStore, drafts: Drafts, clock: Clock) -> Albums:
    fake: Any = drafts
    return Albums(tasks=store.tasks, drafts=fake, clock=clock, wake=drafts.wake)


def sender(message_id: int, **changes: Any) -> Sender:
    return replace(Sender(message_id, 10, None, 20, "Ada", message_id, "en", NOW, album_id="a"), **changes)


def sent(number: int) -> SentPhoto:
    return SentPhoto(f"file-{number}", 640, 480, 1000)


def a_photo(number: int, wish: Wish = "draft", words: str = "") -> Intent:
    return Intent(wish, words, sent(number))


async def gather(albums: Albums, *numbers: int) -> None:
    first, *others = numbers
    await albums.begin(sender(first), sent(first), a_photo(first))
    for number in others:
        assert await albums.joined(sender(number), a_photo(number))


async def row(store: SQLiteStore) -> Task:
    task = await store.tasks.get("boat")
    assert task is not None
    return task


async def complete_album(store: SQLiteStore) -> Album:
    return read_album(await row(store))


async def test_photos_stand_in_the_order_of_their_messages_whatever_order_they_came_in(
    albums: Albums, store: SQLiteStore
) -> None:
    await gather(albums, 2, 3, 1)
    assert (await complete_album(store)).photos == (sent(1), sent(2), sent(3))


async def test_a_photo_that_comes_twice_is_there_once(albums: Albums, store: SQLiteStore) -> None:
    await gather(albums, 1, 2)
    before = await row(store)
    assert await albums.joined(sender(1), a_photo(1))
    assert await albums.joined(sender(2), a_photo(2))
    assert await row(store) == before


async def test_the_same_picture_in_two_messages_is_two_photos(albums: Albums, store: SQLiteStore) -> None:
    await gather(albums, 1)
    await albums.joined(sender(2), a_photo(1))
    assert (await complete_album(store)).photos == (sent(1), sent(1))


@pytest.mark.parametrize("captioned", [1, 2, 3])
async def test_the_caption_may_be_on_any_photo(albums: Albums, store: SQLiteStore, captioned: int) -> None:
    intents = {number: a_photo(number) for number in (1, 2, 3)}
    intents[captioned] = a_photo(captioned, "photo", "from dawn to dusk")
    await albums.begin(sender(1), sent(1), intents[1])
    for number in (2, 3):
        await albums.joined(sender(number), intents[number])
    album = await complete_album(store)
    assert (album.words, album.is_wanted) == ("from dawn to dusk", True)


async def test_a_forwarded_caption_asks_for_nothing(albums: Albums, store: SQLiteStore) -> None:
    await gather(albums, 1)
    await albums.joined(sender(2), a_photo(2, "draft", "somebody else's words"))
    album = await complete_album(store)
    assert (album.words, album.is_wanted) == ("somebody else's words", False)


async def test_a_photo_without_size_is_kept_as_it_is(albums: Albums, store: SQLiteStore) -> None:
    filed = SentPhoto("a_file-id", None, None, None)
    await albums.begin(sender(1), filed, Intent("draft", "", filed))
    assert (await complete_album(store)).photos == (filed,)


async def test_the_album_of_somebody_else_takes_no_photo(albums: Albums, store: SQLiteStore) -> None:
    await gather(albums, 1)
    assert await albums.joined(sender(2, user_id=21), a_photo(2))
    assert (await complete_album(store)).photos == (sent(1),)


async def test_a_video_that_waits_to_be_read_takes_no_photo(
    albums: Albums, drafts: Drafts, store: SQLiteStore, clock: Clock
) -> None:
    film = VideoRequest(model="jimeng-pro", photos=("a_video-id",), extends="a_video-id")
    await drafts.gather(sender(1), film, DraftQuestion.EXTENDING_DRAFT, clock())
    before = await row(store)
    assert await albums.joined(sender(2), a_photo(2))
    assert await row(store) == before


async def test_a_message_of_no_album_joins_none(albums: Albums) -> None:
    assert not await albums.joined(sender(1), a_photo(1))
    await gather(albums, 1)
    assert not await albums.joined(sender(2, album_id=None), a_photo(2))
    assert not await albums.joined(sender(2, album_id="another"), a_photo(2))


async def test_a_photo_that_comes_while_the_worker_asks_is_left_out(
    albums: Albums, store: SQLiteStore, clock: Clock
) -> None:
    await gather(albums, 1, 2)
    clock.advance(2)
    (taken,) = await store.tasks.claim(clock(), schedule.LEASE_S, 1, {})
    assert await albums.joined(sender(3), a_photo(3))
    assert len(read_album(taken).photos) == 2
    await store.tasks.save(taken.asked(taken.request, "card_ask_photo", NOW))  # nobody came in between


async def test_who_takes_it_up_first_keeps_the_other_from_asking_twice(
    albums: Albums, store: SQLiteStore, clock: Clock
) -> None:
    await gather(albums, 1)
    before = await row(store)
    await albums.claim(before)
    clock.advance(2)
    assert await store.tasks.claim(clock(), schedule.LEASE_S, 1, {}) == []
    with pytest.raises(StaleTask):
        await albums.claim(before)


async def test_what_nothing_could_be_made_of_ends_without_a_word(
    albums: Albums, store: SQLiteStore, drafts: Drafts
) -> None:
    await gather(albums, 1)
    await albums.close(await row(store))
    assert ((await row(store)).state, drafts.woken) == (TaskState.CANCELLED, 1)


async def test_what_became_a_question_is_left_alone(albums: Albums, store: SQLiteStore) -> None:
    await gather(albums, 1)
    asked = await row(store)
    asked = await store.tasks.save(asked.asked(asked.request, "card_ask_photo", NOW))
    await albums.close(asked)
    assert await row(store) == asked
    with pytest.raises(StaleTask):
        read_album(asked)


# When it is complete.


async def test_each_photo_is_waited_after_and_all_of_them_not_long(
    albums: Albums, store: SQLiteStore, clock: Clock
) -> None:
    await albums.begin(sender(1), sent(1), a_photo(1))
    assert (await row(store)).due_at == NOW + schedule.ALBUM_PAUSE
    for number in range(2, 6):
        clock.advance(1)
        await albums.joined(sender(number), a_photo(number))
    assert (await row(store)).due_at == NOW + schedule.ALBUM_LIMIT


def test_an_album_that_lay_around_is_waited_for_too() -> None:
    now = NOW + timedelta(hours=1)
    assert schedule.album_due(NOW, now) == now + schedule.ALBUM_PAUSE


@pytest.mark.parametrize("question", [DraftQuestion.ALBUM, DraftQuestion.ALBUM_WANTED])
async def test_the_worker_asks_the_chat_about_an_album_that_is_due(
    harness: WorkerHarness, question: str
) -> None:
    await harness.store.tasks.add(a_task(state=TaskState.DRAFT, question=question, card_id=None))
    await harness.turn()
    assert harness.chat.names() == ["complete_album"]
    assert (await harness.get()).state is TaskState.DRAFT


@pytest.mark.parametrize("trouble", [ChatBusy(7), CallUnclear("no answer")])
async def test_an_album_outlives_a_telegram_that_does_not_answer(
    harness: WorkerHarness, trouble: Exception
) -> None:
    harness.chat.scripts["complete_album"] = Script(trouble, "")
    await harness.store.tasks.add(a_task(state=TaskState.DRAFT, question=DraftQuestion.ALBUM, card_id=None))
    await harness.turn()
    task = await harness.get()
    assert task.is_collecting_album
    assert task.due_at is not None
    assert task.due_at > NOW
    harness.clock.now = task.due_at
    await harness.turn()
    assert harness.chat.names() == ["complete_album", "complete_album"]


async def test_an_album_whose_taker_died_is_asked_about_again(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(a_task(state=TaskState.DRAFT, question=DraftQuestion.ALBUM, card_id=None))
    assert len(await harness.store.tasks.claim(NOW, schedule.LEASE_S, 1, {})) == 1
    await harness.turn()
    assert harness.chat.names() == [], "under a lease"
    await harness.store.tasks.release()
    await harness.turn()
    assert harness.chat.names() == ["complete_album"]


async def test_an_album_of_somebody_who_left_is_let_go(harness: WorkerHarness) -> None:
    harness.chat.scripts["complete_album"] = Script(ChatGone("blocked"))
    await harness.store.tasks.add(a_task(state=TaskState.DRAFT, question=DraftQuestion.ALBUM, card_id=None))
    await harness.turn()
    assert (await harness.get()).state is TaskState.CANCELLED


# Which photo.


def several(count: int, **changes: Any) -> Task:
    photos = tuple(f"file-{number}" for number in range(1, count + 1))
    request = VideoRequest(model="jimeng-pro", photos=photos)
    return a_task(state=TaskState.DRAFT, request=request, **{"question": "card_which", **changes})


def labels(task: Task, models: Any = MODELS, opened: str | None = None) -> list[list[str]]:
    markup = draw_which(task, models, opened).buttons
    assert markup is not None
    return [[one.text for one in line] for line in markup.inline_keyboard]


def test_photos_are_chosen_by_their_numbers_first_and_last() -> None:
    assert labels(several(7)) == [["1", "2", "3", "4", "5"], ["6", "7"], ["Dismiss"]]
    assert labels(several(3), opened="2") == [["1", "3"], ["Only photo 2"], ["‹ Back", "Dismiss"]]
    assert "with photo 2" in draw_which(several(3), MODELS, "2").text


def test_photos_can_all_be_references_or_as_many_as_a_model_takes() -> None:
    models = {**MODELS, "full": replace(FIRST_LAST, references=3)}
    assert labels(several(3), models) == [["1", "2", "3"], ["Show what is in them"], ["Dismiss"]]
    assert labels(several(4), models)[1] == ["Show what is in 1–3"]
    assert labels(several(2), {"jimeng-pro": A_MODEL, "refs": REFERENCES_ONLY})[0] == ["1", "2"]
    moved = fit_references(several(4).request, models)
    assert moved is not None
    assert (moved.model, moved.photos, moved.photos_as) == (
        "full",
        ("file-1", "file-2", "file-3"),
        "references",
    )
    assert fit_references(several(2).request, MODELS) is None


@pytest.mark.parametrize("forged", ["", "0", "4", "-1", "x", "٢", "2-3", "99999999999"])
def test_a_number_that_is_not_there_opens_nothing(forged: str) -> None:
    assert labels(several(3), opened=forged) == labels(several(3))


def test_where_no_model_takes_two_one_tap_is_the_choice() -> None:
    card = draw_which(several(2), ONE_PHOTO_ONLY)
    assert card.buttons is not None
    first, second = card.buttons.inline_keyboard[0]
    assert (first.callback_data, second.callback_data) == ("which:boat:1-1", "which:boat:2-2")
    assert (first.text, second.text) == ("First", "Second")
    assert "I can use one" in card.text


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        ("1-3", ("a", "c")),
        ("3-1", ("c", "a")),
        ("2-2", ("b",)),
        *((forged, None) for forged in ("", "1", "-", "1-", "0-1", "1-4", "1-2-3", "x-1", "1 -2", "²-1")),
    ],
)
def test_a_tap_takes_photos_that_are_there_and_no_others(choice: str, taken: tuple[str, ...] | None) -> None:
    assert chosen_photos(("a", "b", "c"), choice) == taken


def test_one_photo_alone_is_offered_beside_other_models() -> None:
    assert [[one.text for one in line] for line in only_rows(several(2))] == [
        ["Only photo 1", "Only photo 2"]
    ]
    assert only_rows(several(1)) == []


def test_two_photos_go_to_the_chosen_model_else_to_one_that_can() -> None:
    pair = VideoRequest(model="full", photos=("a", "b"), seconds=10)
    assert fit_two_photos(pair, MODELS) == pair
    moved = fit_two_photos(pair.model_copy(update={"model": "jimeng-pro"}), MODELS)
    assert moved == pair
    assert fit_two_photos(moved, ONE_PHOTO_ONLY) is None
    unreachable = {"full": replace(FIRST_LAST, photo_reachable=False)}
    assert fit_two_photos(pair, unreachable) is None


def test_of_models_that_can_one_of_the_same_company_is_taken() -> None:
    models = {
        "jimeng-pro": replace(A_MODEL, company="Here"),
        "far": replace(FIRST_LAST, name="far", company="There"),
        "near": replace(FIRST_LAST, name="near", company="Here"),
    }
    moved = fit_two_photos(VideoRequest(model="jimeng-pro", photos=("a", "b")), models)
    assert moved is not None
    assert moved.model == "near"


def test_a_second_photo_is_spoken_of_only_where_the_model_takes_it() -> None:
    one = VideoRequest(model="full", photos=("a",))
    assert may_add_last(one, MODELS)
    assert not may_add_last(one.model_copy(update={"model": "jimeng-pro"}), MODELS)
    assert not may_add_last(one.model_copy(update={"photos": ("a", "b")}), MODELS)
    assert not may_add_last(one.model_copy(update={"camera": "handheld"}), MODELS)
    assert FIRST_LAST.modes >= {Mode.FIRST_LAST}


# Motions.


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("count", "question"), [(1, "card_ask_photo"), (2, "card_ask_two_photos")])
def test_four_motions_are_offered_and_a_tap_says_what_its_button_reads(
    language: str, count: int, question: str
) -> None:
    task = several(count, question=question, language=language)
    buttons = [line[0] for line in motion_rows(task)]
    assert len({one.text for one in buttons}) == 4
    for one in buttons:
        assert motion_words(task, str(one.callback_data).split(":")[2]) == one.text


@pytest.mark.parametrize("forged", ["", "0", "5", "one", "-1"])
def test_a_motion_that_is_not_offered_says_nothing(forged: str) -> None:
    assert motion_words(several(1, question="card_ask_photo"), forged) is None


def test_a_draft_that_asks_for_no_words_has_no_motions() -> None:
    assert motion_rows(several(1, question="card_draft")) == []
    assert motion_words(several(1, question="card_draft"), "1") is None
