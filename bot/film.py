"""A film: several shots, each an ordinary task, joined into one video at the end. Pure.

DRAFT ──► MAKING ⇄ JOINING ──► DONE
  └──────────┴────────┴──────► STOPPED

The row says what is to be made and what its person was asked; what has been made is said by the tasks alone.
The id of a shot's task follows from the film, the place of the shot and its take: whatever dies in between,
ordering a shot twice finds the task of the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bot.errors import IllegalMove
from bot.request import VideoRequest
from bot.task import CardRef, Task, TaskState

FEWEST_SHOTS, MOST_SHOTS = 2, 9
FRAME = "frame"
"""In place of a photo, until the shot before is made."""


class FilmState(StrEnum):
    DRAFT = "draft"
    MAKING = "making"
    JOINING = "joining"
    DONE = "done"
    STOPPED = "stopped"


class ShotState(StrEnum):
    PROPOSED = "proposed"
    """Its person wrote other words, or it costs more by now, and they have not said yes to that."""
    WAITS = "waits"
    """For the last frame of the shot before."""
    READY = "ready"
    """It may be ordered."""
    UNDER_WAY = "under_way"
    MADE = "made"
    REFUSED = "refused"
    """It ended without a video."""
    HELD = "held"
    """The shot whose last frame it begins with has no video."""


SETTLED = frozenset({ShotState.PROPOSED, ShotState.MADE, ShotState.REFUSED, ShotState.HELD})
"""Nothing happens to them unless their person does something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmShot:
    """One shot as it was asked for: `plain` as words alone, `framed` as what goes on from a picture, which
    stands there as `FRAME`. None where its model cannot do that."""

    plain: VideoRequest | None
    framed: VideoRequest | None = None
    continues: bool = False
    """It begins with the last frame of the shot before."""
    price: Decimal | None = None
    """What its person said yes to."""
    take: int = 0
    """How often other words took the place of its own."""
    is_proposed: bool = False
    frame_id: str | None = None
    """The last frame of the shot before, as Telegram has it."""

    @property
    def can_change(self) -> bool:
        """Return True if it can be a cut as well as go on from the shot before."""
        return self.plain is not None and self.framed is not None

    @property
    def request(self) -> VideoRequest:
        """Return what is ordered, with the frame if that is there."""
        request = self.framed if self.continues else self.plain
        if request is None:
            raise IllegalMove("a shot that cannot be made in this way")
        if self.continues and self.frame_id is not None:
            return request.model_copy(update={"photos": (self.frame_id,)})
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One row. Every time is aware and in UTC."""

    id: str
    version: int = 0
    update_id: int | None = None
    card: CardRef
    user_id: int
    user_name: str = ""
    language: str
    shots: tuple[FilmShot, ...]
    state: FilmState = FilmState.DRAFT
    asks: str | None = None
    """The key of the phrase that says why it does not go on by itself."""
    asks_values: dict[str, Any] = field(default_factory=dict)
    editing: int | None = None
    """The shot whose other words are awaited."""
    question_id: int | None = None
    """The message that asks for them."""
    answer_update_id: int | None = None
    """The update that brought them: handling that one twice changes nothing."""
    sending_at: datetime | None = None
    """When the film was sent as a new message: such a send is never repeated without asking."""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    due_at: datetime | None
    """When the next step is taken; None is never."""

    @property
    def is_open(self) -> bool:
        return self.state in (FilmState.DRAFT, FilmState.MAKING, FilmState.JOINING)

    def task_id(self, index: int) -> str:
        """Return the id of the task that makes a shot: always the same for the same take."""
        name = f"{self.id} {index} {self.shots[index].take}"
        return hashlib.sha256(name.encode()).hexdigest()[:16]

    def task_ids(self) -> list[str]:
        return [self.task_id(index) for index in range(len(self.shots))]

    @property
    def price(self) -> Decimal | None:
        """Return what all shots cost together; None if the price of one is not known."""
        prices = [shot.price for shot in self.shots]
        return None if None in prices else sum(filter(None, prices), Decimal(0))

    # Moves.

    def drafted(self, shots: Sequence[FilmShot]) -> Film:
        """Change the shots of a draft, or how they follow each other."""
        self._must_be(FilmState.DRAFT)
        return replace(self, shots=tuple(shots))

    def started(self, now: datetime) -> Film:
        """Start the film: its person said yes to the whole."""
        self._must_be(FilmState.DRAFT)
        return replace(self, state=FilmState.MAKING, started_at=now, due_at=now)

    def asked(self, key: str, values: Mapping[str, object], due_at: datetime | None) -> Film:
        """Wait: the film does not go on before its person has decided."""
        self._must_be(FilmState.MAKING, FilmState.JOINING)
        return replace(
            self, state=FilmState.MAKING, asks=key, asks_values=dict(values), sending_at=None, due_at=due_at
        )

    def resumed(self, now: datetime) -> Film:
        """Go on, because its person or a late answer of a provider lets it."""
        self._must_be(FilmState.MAKING)
        return replace(self, asks=None, asks_values={}, due_at=now)

    def joining(self, now: datetime) -> Film:
        """Join the shots that there are."""
        self._must_be(FilmState.MAKING)
        return replace(self, state=FilmState.JOINING, asks=None, asks_values={}, due_at=now)

    def framed(self, index: int, frame_id: str, card: CardRef, now: datetime) -> Film:
        """Save the picture that a shot begins with."""
        self._must_be(FilmState.MAKING)
        return replace(self._with_shot(index, frame_id=frame_id), card=card, due_at=now)

    def editing_shot(self, index: int, question_id: int) -> Film:
        """Wait for other words for a shot."""
        self._must_be(FilmState.MAKING)
        return replace(self, editing=index, question_id=question_id)

    def reworded(self, shot: FilmShot, update_id: int, now: datetime) -> Film:
        """Take other words for a shot; it is made after a yes."""
        self._must_be(FilmState.MAKING)
        if self.editing is None:
            raise IllegalMove(f"{self.id}: no words are awaited")
        index = self.editing
        shots, before = list(self.shots), self.shots[index]
        shots[index] = replace(shot, take=before.take + 1, is_proposed=True, frame_id=before.frame_id)
        return replace(self, shots=tuple(shots), editing=None, answer_update_id=update_id, due_at=now)

    def dearer(self, index: int, price: Decimal | None) -> Film:
        """Propose a shot at what it costs by now: that is more than its person said yes to."""
        self._must_be(FilmState.MAKING)
        return self._with_shot(index, price=price, is_proposed=True)

    def confirmed(self, index: int, now: datetime) -> Film:
        """Make a shot as it is proposed, with other words or at another price: its person said yes."""
        self._must_be(FilmState.MAKING)
        if not self.shots[index].is_proposed:
            raise IllegalMove(f"{self.id}: nothing is proposed")
        return replace(self._with_shot(index, is_proposed=False), asks=None, asks_values={}, due_at=now)

    def stopped(self, now: datetime) -> Film:
        """Order nothing more. The next step stops what is in progress."""
        if not self.is_open:
            raise IllegalMove(f"{self.id}: {self.state}")
        return replace(self, state=FilmState.STOPPED, asks=None, finished_at=now, due_at=now)

    def done(self, now: datetime) -> Film:
        self._must_be(FilmState.JOINING)
        return replace(self, state=FilmState.DONE, finished_at=now, due_at=None)

    def _with_shot(self, index: int, **changes: Any) -> Film:
        shots = list(self.shots)
        shots[index] = replace(shots[index], **changes)
        return replace(self, shots=tuple(shots))

    def _must_be(self, *states: FilmState) -> None:
        if self.state not in states:
            raise IllegalMove(f"{self.id}: {self.state}")


def shot_states(film: Film, tasks: Mapping[str, Task]) -> list[ShotState]:
    """Return how far each shot is. `tasks` are those of the film that were ordered, by id."""
    states: list[ShotState] = []
    for index, shot in enumerate(film.shots):
        before = states[-1] if states else ShotState.MADE
        states.append(_shot_state(shot, tasks.get(film.task_id(index)), before))
    return states


def _shot_state(shot: FilmShot, task: Task | None, before: ShotState) -> ShotState:
    if task is not None:
        if task.delivered_at is None:
            return ShotState.UNDER_WAY
        return ShotState.MADE if task.state is TaskState.SUCCEEDED else ShotState.REFUSED
    if shot.is_proposed:
        return ShotState.PROPOSED
    if not shot.continues or before is ShotState.MADE:
        return ShotState.READY
    return ShotState.HELD if before in SETTLED else ShotState.WAITS


def spent(tasks: Mapping[str, Task]) -> Decimal:
    """Return what was, or may have been, charged for these tasks."""
    return sum((task.price or Decimal(0) for task in tasks.values() if task.counts_toward_quota), Decimal(0))


def longest_s(film: Film, usual_s: Sequence[float]) -> float:
    """Return how long all shots take if those that do not wait for each other run side by side."""
    chains: list[float] = []
    for shot, one_s in zip(film.shots, usual_s, strict=True):
        if shot.continues and chains:
            chains[-1] += one_s
        else:
            chains.append(one_s)
    return max(chains)
