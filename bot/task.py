"""A task, its states and its moves: a state machine. Pure: no clock, no store, no network.

DRAFT ──► QUEUED ⇄ SUBMITTING ──► RUNNING ──► SUCCEEDED
  │          │          │             │            │
  │          ├──────────┴─────────────┴────────────┴──► FAILED
  └──────────┴────────────────────────┴────────────────► CANCELLED

A move returns a new Task. The store saves it, compares `version` and knows no states.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from operator import attrgetter
from typing import Any

from bot.codes import FETCHABLE, PERHAPS_CHARGED, FailureCode
from bot.draft import COLLECTS
from bot.errors import IllegalMove
from bot.request import VideoRequest

_PRODUCT = re.compile(r"^\w+:(?=[\w-]+$)")
"""The prefix that an adapter put before a job's id."""


class TaskState(StrEnum):
    DRAFT = "draft"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.DRAFT: frozenset({TaskState.QUEUED, TaskState.CANCELLED}),
    TaskState.QUEUED: frozenset({TaskState.SUBMITTING, TaskState.FAILED, TaskState.CANCELLED}),
    TaskState.SUBMITTING: frozenset({TaskState.RUNNING, TaskState.QUEUED, TaskState.FAILED}),
    # Back to the queue: accepted, and then ended because there was no slot.
    # Cancelled: the provider has stopped it, and charges nothing.
    TaskState.RUNNING: frozenset(
        {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.QUEUED, TaskState.CANCELLED}
    ),
    TaskState.SUCCEEDED: frozenset({TaskState.FAILED}),
    # A late answer: an id is always accepted.
    TaskState.FAILED: frozenset({TaskState.RUNNING}),
    TaskState.CANCELLED: frozenset(),
}
"""The states that each state may move to. Within a state a task may change until it is closed."""
_FULLEST_BY_TIME = 0.95
"""Time alone fills no bar."""
END_STATES = frozenset({TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRef:
    """Where a task is shown: its chat and topic, the message that asked, and the card that answers it."""

    chat_id: int
    thread_id: int | None = None
    message_id: int | None = None
    card_id: int | None = None
    has_photo: bool = False
    """The card is a photo with a caption, which can never become plain text again."""

    def posted(self, card_id: int, *, has_photo: bool) -> CardRef:
        """Save the message that is the card."""
        return replace(self, card_id=card_id, has_photo=has_photo)

    def lost(self) -> CardRef:
        """Forget the card, which cannot be edited any more."""
        return replace(self, card_id=None, has_photo=False)

    def in_topic(self, thread_id: int | None) -> CardRef:
        """Forget the card; and the message too in another topic, from which it cannot be replied to."""
        message_id = self.message_id if thread_id == self.thread_id else None
        return CardRef(chat_id=self.chat_id, thread_id=thread_id, message_id=message_id)

    def in_chat(self, chat_id: int) -> CardRef:
        """Move to a chat with another id, where the messages of the old one cannot be edited."""
        return CardRef(chat_id=chat_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One request and its video; one row. Every time is aware and in UTC."""

    id: str
    version: int = 0
    update_id: int | None = None
    """The Telegram update that created it: handling that one twice creates one task."""
    card: CardRef
    user_id: int
    user_name: str = ""
    album_id: str | None = None
    language: str
    provider: str
    request: VideoRequest
    question: str | None = None
    """What a draft asks its person: a `DraftQuestion`."""
    price: Decimal | None = None
    state: TaskState
    remote_id: str | None = None
    progress: float | None = None
    """0 to 1; None if the provider does not say."""
    expected_s: float | None = None
    """How long its making was expected to take when its provider accepted it: the measure of its bar."""
    bar_floor: float = 0.0
    """How full its bar was when that last changed, 0 to 1."""
    error_code: str | None = None
    error_detail: str | None = None
    """For the log only: it may quote the provider."""
    detached: bool = False
    """Nobody waits for it any more: a queued task ends, a paid one goes on without a card."""
    cancelled_at: datetime | None = None
    """When somebody cancelled it. Its provider is asked to stop the job, if there is one by then."""
    cancelled_by: int | None = None
    """Their id, or `bot.store.audit.THE_MACHINE`."""
    cancelled_by_name: str = ""
    attempts: int = 0
    """How often the step that is due has failed in a row, and since when."""
    failing_since: datetime | None = None
    parent_id: str | None = None
    batch_id: str | None = None
    """The id of the first of several tasks that were ordered at once; None for a single one."""
    batch_place: int = 1
    batch_size: int = 1
    film_id: str | None = None
    """The film that it is a shot of: its video is kept for that one, and not shown."""
    tried_models: tuple[str, ...] = ()
    """Models that certainly refused it before it moved to another one (FAILOVER), in that order."""
    video_url: str | None = None
    keep_until: datetime | None = None
    """Until when the provider knows the job, or may be busy with it."""
    polled_at: datetime | None = None
    """The last poll that found it not done."""
    running_at: datetime | None = None
    """When its provider began, as far as polls tell; None until one found it out of the provider's queue."""
    late_at: datetime | None = None
    """When the person was told that it takes longer than usual."""
    sending_at: datetime | None = None
    """When the video was sent as a new message: such a send is never repeated without asking."""
    file_id: str | None = None
    billed_tokens: int | None = None
    """What the job cost, if its provider bills by tokens and says how many."""
    created_at: datetime
    queued_at: datetime | None = None
    submitted_at: datetime | None = None
    finished_at: datetime | None = None
    delivered_at: datetime | None = None
    deleted_at: datetime | None = None
    """When its person had the message with its video deleted."""
    due_at: datetime | None
    """When the worker takes the next step; None is never."""

    @property
    def is_collecting_album(self) -> bool:
        """Return True for a draft that waits for the rest of an album or for its video to be read.

        It has no card yet.
        """
        return self.state is TaskState.DRAFT and self.question in COLLECTS

    @property
    def job_id(self) -> str:
        """Return the id as the provider prints it; empty if there is none. Its adapter may keep more before a
        colon."""
        return _PRODUCT.sub("", self.remote_id or "")

    @property
    def is_joined(self) -> bool:
        """Return True for a film that was joined here of two videos: nobody ordered it, it has no link."""
        return self.state is TaskState.SUCCEEDED and self.video_url == ""

    @property
    def batch_ids(self) -> list[str]:
        """Return the ids of all tasks that were ordered at once with this one, its own among them."""
        if self.batch_id is None:
            return [self.id]
        # The ids of the others follow from the first one's: no task of a batch can be stored twice.
        others = [sha256(f"{self.batch_id} {place}".encode()) for place in range(2, self.batch_size + 1)]
        return [self.batch_id, *(one.hexdigest()[: len(self.batch_id)] for one in others)]

    @property
    def siblings(self) -> list[Task]:
        """Return the other tasks of a batch as they are ordered with this one, its first: each with the next
        seed, and none with a card so far."""
        first = replace(self, version=0, update_id=None, album_id=None, card=self.card.lost())
        return [
            replace(first, id=task_id, batch_place=place, request=_with_seed(self.request, place - 1))
            for place, task_id in enumerate(self.batch_ids[1:], 2)
        ]

    # What stores ask, as they know no states.

    @property
    def waits_for_slot(self) -> bool:
        """Return True if it is due only when its provider has a free slot."""
        return self.state is TaskState.QUEUED and not self.detached

    @property
    def slot_until(self) -> datetime | None:
        """Return until when it occupies one of its provider's slots; None if it does not."""
        match self.state:
            case TaskState.SUBMITTING | TaskState.RUNNING:
                return self.keep_until
            case _ if self.has_unknown_outcome:
                return self.keep_until
            case _:
                return None

    @property
    def in_flight(self) -> bool:
        """Return True if its submit is under way, or was when a process died: it has one owner."""
        return self.state is TaskState.SUBMITTING

    @property
    def has_unknown_outcome(self) -> bool:
        """Return True if nobody knows whether its job was accepted."""
        return self.state is TaskState.FAILED and self.error_code == FailureCode.SUBMIT_UNKNOWN

    @property
    def is_active(self) -> bool:
        """Return True if it counts among what runs at the same time.

        That is what is bought or about to be until its person has been told the outcome; and what nobody
        waits for any more, as long as its job runs on.
        """
        if self.detached:
            return self.state in (TaskState.SUBMITTING, TaskState.RUNNING)
        return self.state is not TaskState.DRAFT and self.delivered_at is None

    @property
    def is_cancelled(self) -> bool:
        """Return True if it counts as cancelled, whatever its provider makes of it."""
        return self.state is TaskState.CANCELLED or (self.detached and self.cancelled_at is not None)

    @property
    def counts_toward_quota(self) -> bool:
        """Return True if it counts toward the daily quota: not if it was certainly not charged."""
        if self.state in (TaskState.DRAFT, TaskState.CANCELLED):
            return False
        perhaps_charged = self.remote_id is not None or self.error_code in PERHAPS_CHARGED
        return perhaps_charged or self.state is not TaskState.FAILED

    def bar(self, now: datetime, expected_s: float | None = None) -> float:
        """Return how full the bar of a job is, 0 to 1: what its provider says, else the time that has passed
        of `self.expected_s` (or `expected_s`).

        It may stand still but never runs back: not if the provider says less than the time does, nor if the
        job is queued or made again, or by a slower model.
        """
        if self.progress is not None:
            return max(self.bar_floor, self.progress)
        since = self.running_at or self.submitted_at
        measure_s = self.expected_s or expected_s
        is_made = self.state is TaskState.RUNNING and (self.polled_at is None or self.running_at is not None)
        if not is_made or since is None or not measure_s:
            return self.bar_floor
        return max(self.bar_floor, min((now - since).total_seconds() / measure_s, _FULLEST_BY_TIME))

    def may_be_fetched_again(self, now: datetime) -> bool:
        """Return True if the video was made and lost on its way, and its provider still knows the job."""
        is_lost = self.state is TaskState.FAILED and self.error_code in FETCHABLE
        is_known = self.remote_id is not None and self.keep_until is not None and now < self.keep_until
        return is_lost and is_known

    # Moves, in the order of a task's life.

    def asked(self, request: VideoRequest, question: str | None, due_at: datetime) -> Task:
        """Change the draft, or what it asks."""
        return self._stay(TaskState.DRAFT, request=request, question=question, due_at=due_at)

    def queued(self, request: VideoRequest, price: Decimal | None, now: datetime, size: int = 1) -> Task:
        """Order a complete draft: this fixes what is bought, and at which price. `size`: how many are ordered
        at once; `siblings` are the others."""
        self._must_be(TaskState.DRAFT)
        batch = {"batch_id": self.id, "batch_size": size} if size > 1 else {}
        return self._move(
            TaskState.QUEUED, request=request, price=price, question=None, queued_at=now, due_at=now, **batch
        )

    def put_off(self, due_at: datetime, now: datetime) -> Task:
        """Repeat the step later, after a failure."""
        if self.state is TaskState.SUBMITTING:
            raise IllegalMove("a submit is never repeated without proof of its refusal: requeued")
        self._must_not_be_closed()
        return self._later(due_at, now)

    def postponed(self, due_at: datetime) -> Task:
        """Repeat the step later, because buying is paused. It keeps its turn, and nothing has failed."""
        return self._stay(TaskState.QUEUED, due_at=due_at)

    def submitting(self, now: datetime, lease_end: datetime, keep_until: datetime) -> Task:
        """Return the intent to buy, which is saved before the provider is called."""
        return self._move(
            TaskState.SUBMITTING,
            submitted_at=now,
            keep_until=keep_until,
            due_at=lease_end,
            error_code=None,
            error_detail=None,
        )

    def requeued(self, code: str, detail: str, due_at: datetime, now: datetime) -> Task:
        """Queue it again: the provider certainly did not accept it. The worker ends a detached one."""
        self._must_be(TaskState.SUBMITTING)
        moved = self._move(
            TaskState.QUEUED, submitted_at=None, keep_until=None, error_code=code, error_detail=detail
        )
        return moved._later(now if self.detached else due_at, now)

    def requeued_no_slot(self, code: str, detail: str, due_at: datetime) -> Task:
        """Queue it again in its place: the provider had no free slot and certainly did not accept it.

        That is no failure.
        """
        self._must_be(TaskState.SUBMITTING)
        return self._back(code, detail, due_at)

    def requeued_by_provider(self, code: str, detail: str, due_at: datetime, now: datetime) -> Task:
        """Queue it again: the provider ended the job before it began, because it had no free slot."""
        self._must_be(TaskState.RUNNING)
        return changed(self, bar_floor=self.bar(now))._back(code, detail, due_at)

    def rerouted(self, request: VideoRequest, provider: str, price: Decimal | None, now: datetime) -> Task:
        """Queue the same request for another model: it was certainly refused here."""
        self._must_be(TaskState.SUBMITTING)
        moved = self._move(
            TaskState.QUEUED,
            request=request,
            provider=provider,
            price=price,
            tried_models=(*self.tried_models, self.request.model),
            submitted_at=None,
            keep_until=None,
            due_at=now,
        )
        return replace(moved, **_NO_TROUBLE)

    def accepted(
        self, remote_id: str, due_at: datetime, keep_until: datetime, expected_s: float | None = None
    ) -> Task:
        """Save the provider's id, even after the outcome of the submit was taken for unknown."""
        if self.state is TaskState.FAILED and self.error_code != FailureCode.SUBMIT_UNKNOWN:
            raise IllegalMove(f"{self.id}: failed for good ({self.error_code})")
        return self._move(
            TaskState.RUNNING,
            remote_id=remote_id,
            expected_s=expected_s or self.expected_s,
            keep_until=keep_until,
            due_at=due_at,
            error_code=None,
            error_detail=None,
            finished_at=None,
            delivered_at=None,
            **_NO_TROUBLE,
        )

    def not_made(self) -> Task:
        """Mark a submit of unknown outcome as one that made nothing, as an operator has seen: it costs
        nothing and frees its slot."""
        if not self.has_unknown_outcome:
            raise IllegalMove(f"{self.id}: its outcome is known")
        return replace(self, error_code=FailureCode.PROVIDER_FAULT, keep_until=None)

    def polled(self, progress: float | None, now: datetime, *, queued: bool = False) -> Task:
        """Save what a poll found: not done, or in the provider's own queue. Progress never goes back."""
        told = [one for one in (self.progress, progress) if one is not None]
        running_at = self.running_at
        if running_at is None and not queued:
            running_at = now if self.polled_at else self.submitted_at
        return self._stay(
            TaskState.RUNNING,
            progress=max(told, default=None),
            bar_floor=self.bar(now),
            polled_at=now,
            running_at=running_at,
            **_NO_TROUBLE,
        )

    def late(self, now: datetime) -> Task:
        """Mark it as late: it takes longer than nearly all others, and the person is told once."""
        return self._stay(TaskState.RUNNING, late_at=now)

    def succeeded(
        self, video_url: str, keep_until: datetime, now: datetime, billed_tokens: int | None = None
    ) -> Task:
        """Save the link to the video, which works until `keep_until`.

        While the provider knows the job, it can make a new link.
        """
        return self._move(
            TaskState.SUCCEEDED,
            video_url=video_url,
            billed_tokens=billed_tokens,
            keep_until=max(keep_until, self.keep_until or keep_until),
            finished_at=now,
            progress=1.0,
            due_at=now,
            **_NO_TROUBLE,
        )

    def card_lost(self, now: datetime) -> Task:
        """Forget the card, which was deleted: the video is sent as a new message."""
        return self._stay(TaskState.SUCCEEDED, card=self.card.lost(), due_at=now)

    def sending(self, now: datetime) -> Task:
        """Return the intent to send the video as a new message, which is saved before the call."""
        return self._stay(TaskState.SUCCEEDED, sending_at=now)

    def send_undone(self) -> Task:
        """Undo the intent: the send was refused before anything was shown."""
        return self._stay(TaskState.SUCCEEDED, sending_at=None)

    def resend(self, thread_id: int | None, now: datetime) -> Task:
        """Send the video, in this topic, of a closed task whose person has not seen it, or perhaps not."""
        closed_unseen = self.delivered_at is not None and self.file_id is None
        if self.state is not TaskState.SUCCEEDED or not closed_unseen or self.video_url is None:
            raise IllegalMove(f"{self.id}: nothing to send again")
        card = self.card.in_topic(thread_id)
        return replace(
            self, card=card, film_id=None, sending_at=None, delivered_at=None, detached=False, due_at=now
        )

    def failed(self, code: str, detail: str, now: datetime, keep_until: datetime | None = None) -> Task:
        """End the task without a video. `keep_until`: how long an unclear job may still occupy its slot. A
        job whose video may be fetched again is known for as long as it was."""
        return self._move(
            TaskState.FAILED,
            error_code=code,
            error_detail=detail or None,
            keep_until=self.keep_until if code in FETCHABLE else keep_until,
            finished_at=now,
            due_at=now,
            **_NO_TROUBLE,
        )

    def refetch(self, now: datetime) -> Task:
        """Poll the job for another link, because its person wants the video fetched again. How long it took
        is not measured twice."""
        if not self.may_be_fetched_again(now):
            raise IllegalMove(f"{self.id}: nothing to fetch again")
        return self._move(
            TaskState.RUNNING,
            error_code=None,
            error_detail=None,
            finished_at=None,
            delivered_at=None,
            submitted_at=None,
            running_at=None,
            polled_at=None,
            sending_at=None,
            detached=False,
            due_at=now,
            **_NO_TROUBLE,
        )

    def dropped(self, code: str, now: datetime) -> Task:
        """End a draft, dismissed or expired. What has been ordered is not dropped by an old button."""
        self._must_be(TaskState.DRAFT)
        return self._move(TaskState.CANCELLED, error_code=code, finished_at=now, due_at=now)

    def cancelled(self, now: datetime) -> Task:
        """End an order without a video and without a charge: cancelled in the queue, or stopped by its
        provider."""
        if self.state is TaskState.DRAFT:
            raise IllegalMove(f"{self.id}: a draft is dropped")
        return self._move(TaskState.CANCELLED, error_code="cancelled", finished_at=now, due_at=now)

    def hide(self, now: datetime, by: int | None = None, name: str = "") -> Task:
        """Stop waiting for it. The worker ends it if it is not bought yet; else it goes on without a card.

        `by`: who cancelled it. None if nobody did: its chat is gone.
        """
        if self.state not in (TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING):
            raise IllegalMove(f"{self.id}: nothing to stop in {self.state}")
        due_at = self.due_at if self.state is TaskState.SUBMITTING else now
        hidden = replace(self, detached=True, due_at=due_at)
        if by is None or self.is_cancelled:
            return hidden
        return replace(hidden, cancelled_at=now, cancelled_by=by, cancelled_by_name=name)

    def reposted(self, card_id: int, has_photo: bool, thread_id: int | None, now: datetime) -> Task:
        """Save its new card, perhaps in another topic.

        The task may be under a lease, which saving ends: it is due at once, never later than it was. A submit
        in flight keeps its due time. A video that is being sent as a new message needs no card any more.
        """
        self._must_not_be_closed()
        if self.sending_at is not None:
            raise IllegalMove(f"{self.id}: its video is being sent")
        waits = self.state is TaskState.SUBMITTING or self.due_at is None
        due_at = self.due_at if waits else min(self.due_at or now, now)
        card = self.card.in_topic(thread_id).posted(card_id, has_photo=has_photo)
        return replace(self, card=card, due_at=due_at)

    def keep_undelivered(self) -> Task:
        """Keep the video of a task that cannot be shown to anybody now; it can be sent later."""
        self._must_not_be_closed()
        return replace(self, detached=True)

    def moved(self, chat_id: int, now: datetime) -> Task:
        """Move it to a chat with another id, where its messages cannot be edited."""
        self._must_not_be_closed()
        return replace(self, card=self.card.in_chat(chat_id), due_at=now)

    def delivered(self, now: datetime, file_id: str | None = None) -> Task:
        """Close it: the chat was told, or can never be."""
        if self.state not in END_STATES:
            raise IllegalMove(f"{self.id}: {self.state} is no end")
        self._must_not_be_closed()
        return replace(self, delivered_at=now, due_at=None, file_id=file_id or self.file_id, **_NO_TROUBLE)

    def message_deleted(self, now: datetime) -> Task:
        """Note that its person had the message with its video deleted."""
        if self.state is not TaskState.SUCCEEDED or self.file_id is None:
            raise IllegalMove(f"{self.id}: no video to delete")
        return replace(self, deleted_at=now)

    def shown_again(self, message_id: int, thread_id: int | None) -> Task:
        """Note the message that took the place of a deleted video's card."""
        card = self.card.in_topic(thread_id).posted(message_id, has_photo=False)
        return replace(self, card=card, deleted_at=None)

    def _move(self, to: TaskState, **changes: Any) -> Task:
        if to not in MOVES[self.state]:
            raise IllegalMove(f"{self.id}: {self.state} to {to}")
        if to is not TaskState.RUNNING:
            self._must_not_be_closed()
        return changed(self, state=to, **changes)

    def _stay(self, state: TaskState, **changes: Any) -> Task:
        self._must_be(state)
        self._must_not_be_closed()
        return changed(self, **changes)

    def _back(self, code: str, detail: str, due_at: datetime) -> Task:
        moved = self._move(
            TaskState.QUEUED,
            remote_id=None,
            submitted_at=None,
            keep_until=None,
            progress=None,
            polled_at=None,
            running_at=None,
            late_at=None,
            error_code=code,
            error_detail=detail,
            due_at=due_at,
        )
        return replace(moved, **_NO_TROUBLE)

    def _must_be(self, state: TaskState) -> None:
        if self.state is not state:
            raise IllegalMove(f"{self.id}: {self.state}, not {state}")

    def _must_not_be_closed(self) -> None:
        if self.delivered_at is not None:
            raise IllegalMove(f"{self.id}: closed")

    def _later(self, due_at: datetime, now: datetime) -> Task:
        return replace(
            self, attempts=self.attempts + 1, failing_since=self.failing_since or now, due_at=due_at
        )


def _with_seed(request: VideoRequest, more: int) -> VideoRequest:
    """Return the request with a seed so much larger, if it has one."""
    return request if request.seed is None else request.model_copy(update={"seed": request.seed + more})


_NO_TROUBLE: dict[str, Any] = {"attempts": 0, "failing_since": None}

_PLACES = {field.name: getattr(Task, field.name) for field in fields(Task)}
_values = attrgetter(*_PLACES)


def changed(task: Task, **changes: Any) -> Task:
    """Return a copy with changes, as `dataclasses.replace` does. Raises KeyError for an unknown field.

    A task is copied with every move and every save. Copying its slots takes 5 µs instead of 14 µs, and a save
    in a group of 256 (`benchmarks/store.py`) 50 µs of CPU instead of 57 µs.
    """
    copy = object.__new__(Task)
    for place, value in zip(_PLACES.values(), _values(task), strict=True):
        place.__set__(copy, value)
    for name, value in changes.items():
        _PLACES[name].__set__(copy, value)
    return copy
