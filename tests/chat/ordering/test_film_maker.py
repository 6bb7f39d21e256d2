"""The film maker: whatever ends in whatever order and whenever the process dies, no shot is bought twice, and
each film ends joined, stopped, or with a question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import A_MODEL, Clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import says

from bot.chat.cards.film_card import REFUSED
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.ordering.film_maker import FilmMaker
from bot.chat.ordering.film_orders import FilmOrders
from bot.chat.reply import Reply
from bot.errors import CardGone, ChatGone, IllegalMove, MediaError, StaleTask
from bot.film import FRAME, Film, FilmShot, FilmState, ShotState, shot_states
from bot.prices import read_prices
from bot.request import VideoRequest
from bot.store import TaskFilter
from bot.stores.sqlite import SQLiteStore
from bot.task import CardRef, Task, TaskState
from bot.worker.schedule import Schedule

PLAIN = VideoRequest(model=A_MODEL.name, prompt="a paper boat")
FRAMED = PLAIN.model_copy(update={"photos": (FRAME,)})
VIDEO: Any = SimpleNamespace(facts=SimpleNamespace(bytes=1000, duration_s=2.0))
UNDER_WAY = (TaskState.QUEUED, TaskState.RUNNING)


class Died(BaseException):
    """The process ends here."""


class Dying:
    """One subject of a store: its writes end the process when their count has come, before or after."""

    def __init__(self, subject: Any, world: World) -> None:
        self._subject = subject
        self._world = world

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._subject, name)
        if name not in ("save", "add", "update"):
            return call

        async def dying(*args: Any, **kwargs: Any) -> Any:
            self._world.die()
            done = await call(*args, **kwargs)
            self._world.die()
            return done

        return dying


class World:
    """A film maker over a real store, with a chat and files that write down what they are asked."""

    def __init__(self, store: SQLiteStore, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.dies_in: int | None = None
        self.made_of: list[list[str]] = []
        self.delivered: list[str] = []
        self.sends = 0
        self.dies_after_send = False
        self.notified = 0
        self.card_error: Exception | None = None
        self.deliver_error: Exception | None = None
        self.join_error: Exception | None = None
        self.refusal: Reply | None = None
        self.frames: list[str] = []
        self.start_anew()

    def die(self) -> None:
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in < 0:
                self.dies_in = None
                raise Died

    def start_anew(self) -> None:
        """What a process does at its start: nothing of the one before is in memory."""
        prices = read_prices(f"{A_MODEL.name}=0.42")
        deps: Any = SimpleNamespace(
            store=SimpleNamespace(
                films=Dying(self.store.films, self),
                tasks=Dying(self.store.tasks, self),
                leases=self.store.leases,
            ),
            clock=self.clock,
            wake=lambda: None,
            models={A_MODEL.name: A_MODEL},
            schedule=Schedule(10.0),
            price_labels=lambda: PriceLabels(prices, "USD", {A_MODEL.name: A_MODEL}),
        )
        limits: Any = SimpleNamespace(one_at_a_time=_nobody_else, check=self._check, ordered=_nothing)
        builder: Any = SimpleNamespace(problems=lambda _: [])
        disclosure: Any = SimpleNamespace(due=_nobody)
        board: Any = self
        self.maker = FilmMaker(deps, FilmOrders(deps, limits, builder, disclosure), board, board)

    async def _check(self, *_: object) -> Reply | None:
        return self.refusal

    # The board.

    async def draw(self, film: Film, card: Any, *, pressed: bool = False) -> CardRef:
        if self.card_error:
            raise self.card_error
        assert len(card.text) < 1000
        return film.card if film.card.card_id is not None else film.card.posted(99, has_photo=False)

    async def show_frame(self, film: Film, card: Any, frame: bytes) -> tuple[CardRef, str]:
        self.die()
        return film.card, f"photo of {frame.decode()}"

    async def deliver(self, film: Film, video: Any) -> Task:
        if self.deliver_error:
            raise self.deliver_error
        self.delivered.append(film.id)
        self.die()
        return self._film_task(film)

    async def send(self, film: Film, video: Any) -> Task:
        self.sends += 1
        if self.dies_after_send:
            self.dies_after_send = False
            raise Died
        return self._film_task(film)

    async def notify(self, film: Film) -> None:
        self.notified += 1

    def _film_task(self, film: Film) -> Task:
        shot = a_shot_task(film, 0)
        return replace(shot, id=film.id, state=TaskState.SUCCEEDED, delivered_at=self.clock(), due_at=None)

    # The files.

    async def last_frame(self, task: Task) -> bytes:
        assert task.state is TaskState.SUCCEEDED
        return task.id.encode()

    async def joined(self, film: Film, shots: list[tuple[Task, bool]]) -> Any:
        if self.join_error:
            raise self.join_error
        self.made_of.append([task.id for task, _ in shots])
        return VIDEO

    def join_anew(self, film: Film) -> None: ...

    def release(self, film: Film) -> None: ...

    def sent(self, film: Film) -> None: ...

    # What happens around.

    async def film(self, continues: list[bool]) -> Film:
        shots = tuple(
            FilmShot(plain=PLAIN, framed=FRAMED, continues=one and index > 0, price=Decimal("0.42"))
            for index, one in enumerate(continues)
        )
        film = Film(
            id="film",
            card=CardRef(chat_id=10, card_id=5),
            user_id=20,
            language="en",
            shots=shots,
            created_at=self.clock(),
            due_at=None,
        )
        return await self.store.films.add(film.started(self.clock()))

    async def get(self) -> Film:
        film = await self.store.films.get("film")
        assert film is not None
        return film

    async def tasks(self) -> dict[str, Task]:
        film = await self.get()
        found = [await self.store.tasks.get(task_id) for task_id in film.task_ids()]
        return {task.id: task for task in found if task is not None}

    async def step(self) -> bool:
        """One step; a process that dies is followed by another one. Return False if it died."""
        try:
            await self.maker.step("film")
        except Died:
            self.start_anew()
            return False
        except (StaleTask, IllegalMove):
            pass
        return True

    async def settle(self) -> Film:
        """Steps until nothing changes any more."""
        for _ in range(40):
            before = await self.get()
            is_whole = await self.step()
            after = await self.get()
            if is_whole and replace(before, version=0, due_at=None) == replace(after, version=0, due_at=None):
                return after
        raise AssertionError("it never rests")

    async def end(self, index: int, *, made: bool) -> None:
        """What the worker makes of a shot."""
        film, now = await self.get(), self.clock()
        task = await self.store.tasks.get(film.task_id(index))
        if task is None or task.delivered_at is not None:
            return
        ended = replace(task, delivered_at=now, due_at=None, finished_at=now)
        if task.detached:
            ended = replace(ended, state=TaskState.CANCELLED)
        elif made:
            ended = replace(ended, state=TaskState.SUCCEEDED, remote_id="job", detached=True)
        else:
            ended = replace(ended, state=TaskState.FAILED, error_code="prompt_refused")
        await self.store.tasks.save(ended)


def a_shot_task(film: Film, index: int) -> Task:
    return Task(
        id=film.task_id(index),
        card=film.card,
        user_id=film.user_id,
        language="en",
        provider="cloud",
        request=PLAIN,
        state=TaskState.QUEUED,
        created_at=film.created_at,
        due_at=film.created_at,
    )


@asynccontextmanager
async def _nobody_else(_: int) -> AsyncIterator[None]:
    yield


async def _nothing() -> None:
    return None


async def _nobody(*_: object) -> str:
    return ""


@pytest.fixture
def world(store: SQLiteStore, clock: Clock) -> World:
    return World(store, clock)


async def test_a_shot_that_continues_waits_and_a_cut_does_not(world: World) -> None:
    await world.film([False, True, False])
    film = await world.settle()
    states = shot_states(film, await world.tasks())
    assert states == [ShotState.UNDER_WAY, ShotState.WAITS, ShotState.UNDER_WAY]
    await world.end(0, made=True)
    film = await world.settle()
    second = (await world.tasks())[film.task_id(1)]
    assert second.request.photos == (f"photo of {film.task_id(0)}",)
    assert second.price == Decimal("0.42")


async def test_all_shots_made_are_joined_in_order_once(world: World) -> None:
    film = await world.film([False, False, True])
    for index in (1, 0, 2):
        await world.settle()
        await world.end(index, made=True)
    film = await world.settle()
    assert (film.state, film.due_at) == (FilmState.DONE, None)
    assert world.made_of == [film.task_ids()]
    assert world.delivered == [film.id]
    await world.step()
    assert world.delivered == [film.id]


async def test_a_refused_shot_stops_only_what_begins_with_it(world: World) -> None:
    await world.film([False, True, False, True])
    await world.settle()
    await world.end(0, made=False)
    film = await world.settle()
    assert film.asks is None, "another shot is under way"
    await world.end(2, made=True)
    await world.settle()
    await world.end(3, made=True)
    film = await world.settle()
    assert (film.asks, film.due_at, world.notified) == (REFUSED, None, 1)
    states = shot_states(film, await world.tasks())
    assert states == [ShotState.REFUSED, ShotState.HELD, ShotState.MADE, ShotState.MADE]
    await world.store.films.update("film", lambda row: row.joining(world.clock()))
    await world.settle()
    assert world.made_of == [film.task_ids()[2:]]


async def test_other_words_are_made_after_a_yes_and_what_follows_goes_on(world: World) -> None:
    await world.film([False, True])
    await world.settle()
    await world.end(0, made=False)
    film = await world.settle()
    refused, now = film.task_id(0), world.clock()
    other = replace(film.shots[0], plain=PLAIN.model_copy(update={"prompt": "a kite"}))
    await world.store.films.update("film", lambda row: row.editing_shot(0, 77).reworded(other, 5, now))
    film = await world.settle()
    assert await world.tasks() == {}, "nothing is ordered before a yes"
    await world.store.films.update("film", lambda row: row.confirmed(0, now))
    film = await world.settle()
    assert film.task_id(0) != refused
    await world.end(0, made=True)
    await world.settle()
    await world.end(1, made=True)
    assert (await world.settle()).state is FilmState.DONE


async def test_an_answer_that_was_given_up_lets_the_film_go_on(world: World) -> None:
    await world.film([False, True])
    film = await world.settle()
    await world.end(0, made=False)
    assert (await world.settle()).asks == REFUSED
    task = (await world.tasks())[film.task_id(0)]
    unknown = await world.store.tasks.save(replace(task, error_code="submit_unknown"))
    await world.store.tasks.save(unknown.accepted("job", world.clock(), world.clock()))
    film = await world.settle()
    assert film.asks is None
    await world.end(0, made=True)
    await world.settle()
    assert film.task_id(1) in await world.tasks()


async def test_a_limit_asks_and_a_yes_goes_on(world: World) -> None:
    world.refusal = Reply("limit_budget", {"price": "1", "left": "0", "time": "12:00"})
    await world.film([False, True])
    film = await world.settle()
    assert (film.asks, await world.tasks(), film.due_at) == ("limit_budget", {}, None)
    world.refusal = Reply("limit_open", {"count": 1})
    await world.store.films.update("film", lambda row: row.resumed(world.clock()))
    film = await world.settle()
    assert (film.asks, await world.tasks()) == (None, {}), "others end by themselves: no question"
    assert film.due_at is not None
    world.refusal = None
    await world.settle()
    assert len(await world.tasks()) == 1


async def test_a_shot_that_costs_more_by_now_asks(world: World) -> None:
    film = await world.film([False, False])
    cheap = tuple(replace(shot, price=Decimal("0.10")) for shot in film.shots)
    await world.store.films.save(replace(film, shots=cheap))
    film = await world.settle()
    assert (film.asks, await world.tasks()) == ("film_dearer", {})
    card = await world.maker.card(film)
    labels = [label for row in card.buttons.inline_keyboard for label in row] if card.buttons else []
    assert says("button_film_make", number=1) in labels[0].text
    assert "0.42" in labels[0].text, "the price that a press agrees to"
    await world.store.films.update("film", lambda row: row.confirmed(0, world.clock()))
    film = await world.settle()
    assert (film.asks, list(await world.tasks())) == ("film_dearer", [film.task_id(0)]), "the second asks too"
    await world.store.films.update("film", lambda row: row.confirmed(1, world.clock()))
    assert (await world.settle()).asks is None
    assert [task.price for task in (await world.tasks()).values()] == [Decimal("0.42")] * 2


async def test_a_stopped_film_stops_its_shots_and_orders_no_other(world: World) -> None:
    await world.film([False, True])
    await world.settle()
    await world.store.films.update("film", lambda row: row.stopped(world.clock()))
    film = await world.settle()
    (task,) = (await world.tasks()).values()
    assert (task.detached, film.due_at) == (True, None)
    await world.end(0, made=True)
    assert len(await world.tasks()) == 1


async def test_a_chat_that_is_gone_gets_no_more_shots(world: World) -> None:
    world.card_error = ChatGone("blocked")
    await world.film([False, True])
    await world.step()
    film = await world.get()
    assert (film.state, film.due_at) == (FilmState.STOPPED, None)
    assert all(task.detached for task in (await world.tasks()).values())


async def test_a_film_without_a_card_is_sent_once_and_then_asks(world: World) -> None:
    await world.film([False, False])
    await world.settle()
    for index in (0, 1):
        await world.end(index, made=True)
    world.deliver_error = CardGone("deleted")
    world.dies_after_send = True
    film = await world.settle()
    assert (film.asks, world.sends, film.due_at) == ("film_perhaps_sent", 1, None)
    await world.store.films.update("film", lambda row: row.resumed(world.clock()))
    assert (await world.settle()).state is FilmState.DONE
    assert world.sends == 2, "the second time because its person said so"


async def test_what_cannot_be_joined_is_kept_and_asked_about(world: World) -> None:
    world.join_error = MediaError("media_crashed", "out of memory")
    await world.film([False, False])
    await world.settle()
    for index in (0, 1):
        await world.end(index, made=True)
    film = await world.settle()
    assert film.asks == "film_join_failed"
    world.join_error = None
    await world.store.films.update("film", lambda row: row.resumed(world.clock()))
    assert (await world.settle()).state is FilmState.DONE


@pytest.mark.parametrize("dies_in", range(36))
async def test_a_death_at_any_write_buys_nothing_twice_and_the_film_is_joined(
    world: World, dies_in: int
) -> None:
    await world.film([False, True, False])
    world.dies_in = dies_in
    for index in (0, 2, 1):
        await world.settle()
        await world.end(index, made=True)
    film = await world.settle()
    assert film.state is FilmState.DONE
    assert len(await world.store.tasks.unclosed(20)) == 0
    orders = [row for row in await world.store.tasks.list_tasks(_ALL, 99) if row.queued_at is not None]
    assert sorted(row.id for row in orders) == sorted(film.task_ids())


events = st.lists(
    st.tuples(
        st.sampled_from(["made", "refused", "die", "go", "words", "join", "stop", "limit", "step"]),
        st.integers(0, 8),
    ),
    max_size=30,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(continues=st.lists(st.booleans(), min_size=2, max_size=9), script=events)
async def test_any_order_of_answers_ends_joined_stopped_or_with_a_question(
    continues: list[bool], script: list[tuple[str, int]]
) -> None:
    clock = Clock()
    with TemporaryDirectory() as folder:
        store = await SQLiteStore.open(Path(folder) / "bot.db", clock)
        try:
            await _play(World(store, clock), continues, script)
        finally:
            await store.close()


async def _play(world: World, continues: list[bool], script: list[tuple[str, int]]) -> None:
    await world.film(continues)
    words = 0
    was_stopped, ordered_then = False, 0
    for event, number in script:
        index = number % len(continues)
        film = await world.get()
        if event in ("made", "refused"):
            await world.end(index, made=event == "made")
        elif event == "die":
            world.dies_in = number
        elif event == "limit":
            world.refusal = None if number % 2 else Reply("limit_budget", _VALUES)
        elif event == "words" and film.asks == REFUSED:
            words += await _other_words(world, film, index, number)
        elif event in ("go", "join", "stop"):
            await _press(world, partial(_pressed, event, world.clock()))
        if event == "stop" and not was_stopped and (await world.get()).state is FilmState.STOPPED:
            was_stopped, ordered_then = True, await _ordered(world)
        await world.step()
        world.clock.advance(1)
    world.dies_in, world.refusal = None, None
    for _ in range(3 * len(continues) + 3):
        film = await world.settle()
        for index in range(len(continues)):
            await world.end(index, made=True)
    film = await world.settle()
    states = shot_states(film, await world.tasks())
    match film.state:
        case FilmState.DONE:
            assert world.delivered
            assert ShotState.UNDER_WAY not in states
        case FilmState.STOPPED:
            assert ShotState.UNDER_WAY not in states
        case FilmState.MAKING:
            assert film.asks is not None
            assert film.due_at is None
        case _:
            raise AssertionError(film.state)
    assert await _ordered(world) <= len(continues) + words, "each shot, and each other words, once"
    assert not was_stopped or await _ordered(world) == ordered_then, "a stopped film orders nothing"
    for index, shot in enumerate(film.shots):
        task = (await world.tasks()).get(film.task_id(index))
        if task is not None and shot.continues:
            assert task.request.photos, "it has the frame that it begins with"


async def _other_words(world: World, film: Film, index: int, update_id: int) -> int:
    """Other words for a refused shot, and a yes to them. Return how many shots that may order."""
    if shot_states(film, await world.tasks())[index] is not ShotState.REFUSED:
        return 0
    now = world.clock()
    await _press(world, lambda row: row.editing_shot(index, 7).reworded(film.shots[index], update_id, now))
    await _press(world, lambda row: row.confirmed(index, now))
    return 1


def _pressed(button: str, now: datetime, film: Film) -> Film:
    match button:
        case "go":
            return film.resumed(now)
        case "join":
            return film.joining(now) if film.asks else film
        case _:
            return film.stopped(now)


async def _press(world: World, move: Callable[[Film], Film]) -> None:
    """A person's button; one that comes too late changes nothing."""
    with suppress(IllegalMove):
        await world.store.films.update("film", move)


async def _ordered(world: World) -> int:
    return sum(row.queued_at is not None for row in await world.store.tasks.list_tasks(_ALL, 99))


_ALL = TaskFilter()
_VALUES = {"price": "1", "left": "0", "time": "12:00"}
