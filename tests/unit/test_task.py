"""The state machine: which moves there are, and what none of them may ever do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from fakes import NOW, a_task
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.codes import FailureCode
from bot.errors import IllegalMove
from bot.request import VideoRequest
from bot.task import END_STATES, MOVES, Task, TaskState, changed

LATER = NOW + timedelta(minutes=5)
REQUEST = VideoRequest(model="jimeng-pro", prompt="a kite")
S = TaskState

# Every move, with the states that the state table lets it start from, and where it leads (None: stays).
TABLE: dict[str, tuple[Callable[[Task], Task], set[TaskState], TaskState | None]] = {
    "asked": (lambda task: task.asked(REQUEST, "card_draft", LATER), {S.DRAFT}, None),
    "queued": (lambda task: task.queued(REQUEST, Decimal("0.50"), NOW), {S.DRAFT}, S.QUEUED),
    "put_off": (lambda task: task.put_off(LATER, NOW), set(S) - {S.SUBMITTING}, None),
    "submitting": (lambda task: task.submitting(NOW, LATER, LATER), {S.QUEUED}, S.SUBMITTING),
    "requeued": (lambda task: task.requeued("busy", "", LATER, NOW), {S.SUBMITTING}, S.QUEUED),
    "requeued_no_slot": (
        lambda task: task.requeued_no_slot("no_slot", "", LATER),
        {S.SUBMITTING},
        S.QUEUED,
    ),
    "requeued_by_provider": (
        lambda task: task.requeued_by_provider("no_slot", "", LATER, NOW),
        {S.RUNNING},
        S.QUEUED,
    ),
    "accepted": (lambda task: task.accepted("job-1", LATER, LATER), {S.SUBMITTING}, S.RUNNING),
    "polled": (lambda task: task.polled(0.5, NOW), {S.RUNNING}, None),
    "late": (lambda task: task.late(NOW), {S.RUNNING}, None),
    "succeeded": (lambda task: task.succeeded("https://v", LATER, NOW), {S.RUNNING}, S.SUCCEEDED),
    "cardless": (lambda task: task.card_lost(NOW), {S.SUCCEEDED}, None),
    "sending": (lambda task: task.sending(NOW), {S.SUCCEEDED}, None),
    "unsent": (lambda task: task.send_undone(), {S.SUCCEEDED}, None),
    "failed": (
        lambda task: task.failed("provider_fault", "", NOW),
        {S.QUEUED, S.SUBMITTING, S.RUNNING, S.SUCCEEDED},
        S.FAILED,
    ),
    "dropped": (lambda task: task.dropped("dismissed", NOW), {S.DRAFT}, S.CANCELLED),
    "cancelled": (lambda task: task.cancelled(NOW), {S.QUEUED, S.RUNNING}, S.CANCELLED),
    "hide": (lambda task: task.hide(NOW), {S.QUEUED, S.SUBMITTING, S.RUNNING}, None),
    "kept": (lambda task: task.keep_undelivered(), set(S), None),
    "moved": (lambda task: task.moved(-100, NOW), set(S), None),
    "reposted": (lambda task: task.reposted(31, False, None, NOW), set(S), None),
    "delivered": (lambda task: task.delivered(NOW), set(END_STATES), None),
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("name", TABLE)
def test_a_move_starts_where_the_table_says_and_nowhere_else(name: str, state: TaskState) -> None:
    move, starts, to = TABLE[name]
    task = a_task(state=state)
    if state in starts:
        assert move(task).state is (to or state)
        assert to is None or to in MOVES[state]
    else:
        with pytest.raises(IllegalMove):
            move(task)


def test_the_table_of_moves_holds_what_the_moves_do_and_no_more() -> None:
    made = {(start, to) for _, starts, to in TABLE.values() if to for start in starts}
    made.add((S.FAILED, S.RUNNING))
    assert made == {(start, to) for start, ends in MOVES.items() for to in ends}


@pytest.mark.parametrize("state", sorted(END_STATES))
@pytest.mark.parametrize("name", TABLE)
def test_a_closed_task_never_moves(name: str, state: TaskState) -> None:
    closed = a_task(state=state, delivered_at=NOW, due_at=None)
    with pytest.raises(IllegalMove):
        TABLE[name][0](closed)


def test_an_id_is_accepted_even_after_the_task_was_closed_as_unknown() -> None:
    lost = a_task(state=S.SUBMITTING).failed(FailureCode.SUBMIT_UNKNOWN, "", NOW, LATER).delivered(NOW)
    found = lost.accepted("job-1", LATER, LATER)
    assert (found.state, found.remote_id, found.error_code) == (S.RUNNING, "job-1", None)
    assert (found.finished_at, found.delivered_at, found.due_at) == (None, None, LATER)


@pytest.mark.parametrize("code", ["prompt_refused", "provider_fault", "expired"])
def test_an_id_is_not_accepted_for_a_task_that_failed_for_good(code: str) -> None:
    with pytest.raises(IllegalMove):
        a_task(state=S.FAILED, error_code=code).accepted("job-1", LATER, LATER)


def test_a_submit_is_put_back_only_by_proof_of_its_refusal() -> None:
    submitting = a_task(state=S.SUBMITTING)
    with pytest.raises(IllegalMove, match="without proof"):
        submitting.put_off(LATER, NOW)
    back = submitting.requeued("busy", "HTTP 429", LATER, NOW)
    assert (back.attempts, back.failing_since, back.due_at) == (1, NOW, LATER)
    assert (back.submitted_at, back.keep_until) == (None, None)


def test_a_task_that_is_put_back_and_not_waited_for_is_due_at_once() -> None:
    assert a_task(state=S.SUBMITTING, detached=True).requeued("busy", "", LATER, NOW).due_at == NOW


def test_stopping_a_submit_does_not_touch_its_lease() -> None:
    assert a_task(state=S.SUBMITTING, due_at=LATER).hide(NOW).due_at == LATER
    assert a_task(state=S.RUNNING, due_at=LATER).hide(NOW).due_at == NOW


def test_the_link_may_die_before_the_provider_forgets_the_job() -> None:
    running = a_task(state=S.RUNNING, keep_until=NOW + timedelta(hours=12))
    assert running.succeeded("https://v", NOW + timedelta(hours=1), NOW).keep_until == running.keep_until
    assert a_task(state=S.RUNNING).succeeded("https://v", LATER, NOW).keep_until == LATER


def test_a_failed_step_counts_and_a_good_one_forgets_it() -> None:
    task = a_task(state=S.RUNNING).put_off(LATER, NOW).put_off(LATER, LATER)
    assert (task.attempts, task.failing_since) == (2, NOW)
    better = task.polled(None, NOW)
    assert (better.attempts, better.failing_since) == (0, None)


def test_a_look_says_when_a_provider_began_and_a_failing_one_says_nothing() -> None:
    begun = a_task(state=S.RUNNING, submitted_at=NOW)
    assert begun.put_off(LATER, NOW).polled_at is None
    at_once = begun.polled(None, LATER)
    assert (at_once.polled_at, at_once.running_at) == (LATER, NOW), "it may have run from the first second"
    queued = begun.polled(None, NOW, queued=True)
    assert (queued.polled_at, queued.running_at) == (NOW, None)
    assert queued.polled(None, LATER).running_at == LATER
    assert queued.polled(None, LATER).polled(None, LATER + timedelta(1), queued=True).running_at == LATER


@given(
    size=st.integers(2, 4),
    seed=st.none() | st.integers(0, 2**31),
    price=st.none() | st.decimals(0, 1000, places=6),
)
def test_an_order_of_several_is_as_many_tasks_with_one_price_each(
    size: int, seed: int | None, price: Decimal | None
) -> None:
    draft = a_task(state=S.DRAFT, update_id=7, album_id="a", version=3)
    first = draft.queued(REQUEST.model_copy(update={"seed": seed}), price, NOW, size)
    batch = [first, *first.siblings]
    assert [task.id for task in batch] == first.batch_ids
    assert len({task.id for task in batch}) == size
    assert {tuple(task.batch_ids) for task in batch} == {tuple(first.batch_ids)}
    assert [task.batch_place for task in batch] == [*range(1, size + 1)]
    assert [task.request.seed for task in batch] == [seed if seed is None else seed + n for n in range(size)]
    assert {(task.state, task.price, task.queued_at) for task in batch} == {(S.QUEUED, price, NOW)}
    # An update, an album and a card belong to one task.
    assert {(task.version, task.update_id, task.album_id, task.card.card_id) for task in batch[1:]} == {
        (0, None, None, None)
    }
    assert draft.queued(REQUEST, price, NOW).batch_ids == [draft.id]


def test_a_video_that_is_being_sent_gets_no_card() -> None:
    sending = a_task(state=S.SUCCEEDED, card_id=None).sending(NOW)
    with pytest.raises(IllegalMove):
        sending.reposted(5, False, None, NOW)
    assert sending.send_undone().reposted(5, False, None, NOW).card.card_id == 5


def test_progress_never_goes_back() -> None:
    half = a_task(state=S.RUNNING).polled(0.5, NOW)
    assert [half.polled(told, NOW).progress for told in (0.7, 0.3, None)] == [0.7, 0.5, 0.5]
    assert a_task(state=S.RUNNING).polled(None, NOW).progress is None


def test_only_a_video_that_nobody_saw_can_be_sent_once_more() -> None:
    made = a_task(state=S.SUCCEEDED, video_url="https://v")
    for seen in (made, made.delivered(NOW, "file"), made.failed("link_expired", "", NOW).delivered(NOW)):
        with pytest.raises(IllegalMove):
            seen.resend(None, NOW)
    unclear = replace(made, sending_at=NOW).keep_undelivered().delivered(NOW)
    for unseen in (unclear, made.keep_undelivered().delivered(NOW)):
        again = unseen.resend(None, LATER)
        assert (again.sending_at, again.delivered_at, again.card.card_id, again.detached) == (
            None,
            None,
            None,
            False,
        )
        assert again.due_at == LATER


def test_a_forgotten_video_cannot_be_sent_once_more() -> None:
    with pytest.raises(IllegalMove):
        a_task(state=S.SUCCEEDED).keep_undelivered().delivered(NOW).resend(None, NOW)


def test_a_video_that_is_asked_for_in_another_topic_goes_there_and_replies_to_nothing() -> None:
    unseen = (
        a_task(state=S.SUCCEEDED, video_url="https://v", thread_id=7, message_id=5)
        .keep_undelivered()
        .delivered(NOW)
    )
    assert (unseen.resend(7, NOW).card.thread_id, unseen.resend(7, NOW).card.message_id) == (7, 5)
    assert (unseen.resend(9, NOW).card.thread_id, unseen.resend(9, NOW).card.message_id) == (9, None)


@pytest.mark.parametrize(
    ("state", "attempts", "due_at", "then"),
    [
        (S.QUEUED, 0, NOW - timedelta(minutes=1), NOW - timedelta(minutes=1)),  # keeps its turn
        (S.QUEUED, 0, LATER, NOW),  # under a lease, which ends with the save
        (S.QUEUED, 2, LATER, NOW),  # perhaps no more than its pause, but nobody can tell it from a lease
        (S.SUBMITTING, 0, LATER, LATER),
        (S.RUNNING, 0, LATER, NOW),
    ],
)
def test_a_card_that_moves_down_never_delays_its_task(
    state: TaskState, attempts: int, due_at: datetime, then: datetime
) -> None:
    task = a_task(state=state, attempts=attempts, due_at=due_at, has_photo=True)
    moved = task.reposted(99, False, None, NOW)
    assert (moved.card.card_id, moved.card.has_photo, moved.due_at) == (99, False, then)


@pytest.mark.parametrize(
    ("state", "code", "until"),
    [
        (S.SUBMITTING, None, LATER),
        (S.RUNNING, None, LATER),
        (S.FAILED, FailureCode.SUBMIT_UNKNOWN, LATER),
        (S.FAILED, "expired", None),
        (S.QUEUED, None, None),
        (S.SUCCEEDED, None, None),
    ],
)
def test_a_slot_is_taken_while_a_job_may_be_on_its_way(
    state: TaskState, code: str | None, until: datetime | None
) -> None:
    assert a_task(state=state, error_code=code, keep_until=LATER).slot_until == until
    assert a_task(state=state, error_code=code, keep_until=LATER, detached=True).slot_until == until


def test_what_was_surely_not_charged_gives_the_days_video_back() -> None:
    assert a_task().counts_toward_quota
    assert not a_task(state=S.DRAFT).counts_toward_quota
    assert not a_task(state=S.CANCELLED).counts_toward_quota
    assert not a_task(state=S.FAILED, error_code="prompt_refused").counts_toward_quota
    assert a_task(state=S.FAILED, error_code="video_refused", remote_id="job-1").counts_toward_quota
    assert a_task(state=S.FAILED, error_code=FailureCode.SUBMIT_UNKNOWN).counts_toward_quota


TOLD_BY_PROVIDERS = {
    "submitting",
    "requeued",
    "requeued_no_slot",
    "requeued_by_provider",
    "accepted",
    "polled",
}


class Life(RuleBasedStateMachine):
    """Any moves in any order, against one provider. An illegal one changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.task = a_task(state=S.DRAFT)
        self.bought = 0
        """Jobs that the provider has or may have."""

    def _try(self, move: Callable[[Task], Task]) -> bool:
        before = self.task
        try:
            self.task = move(before)
        except IllegalMove:
            return False
        if before.delivered_at is not None:
            assert before.error_code == FailureCode.SUBMIT_UNKNOWN or before.file_id is None
        if before.progress is not None and before.remote_id == self.task.remote_id:
            assert self.task.progress is not None
            assert self.task.progress >= before.progress
        return True

    @rule(name=st.sampled_from(sorted(set(TABLE) - TOLD_BY_PROVIDERS)))
    def any_move(self, name: str) -> None:
        self._try(TABLE[name][0])

    @rule()
    def resend(self) -> None:
        self._try(lambda task: task.resend(None, NOW))

    @rule()
    def submit(self) -> None:
        if self._try(TABLE["submitting"][0]):
            self.bought += 1

    @precondition(lambda self: self.task.state is S.SUBMITTING)
    @rule(name=st.sampled_from(["requeued", "requeued_no_slot"]))
    def the_provider_refuses(self, name: str) -> None:
        assert self._try(TABLE[name][0])
        self.bought -= 1

    @precondition(lambda self: self.task.state is S.RUNNING)
    @rule()
    def the_provider_ends_it_unmade(self) -> None:
        assert self._try(TABLE["requeued_by_provider"][0])
        self.bought -= 1

    @rule()
    def an_id_comes(self) -> None:
        self._try(TABLE["accepted"][0])

    @rule()
    def lose_the_answer(self) -> None:
        if self.task.state is S.SUBMITTING:
            self._try(lambda task: task.failed(FailureCode.SUBMIT_UNKNOWN, "", NOW, LATER))

    @rule(progress=st.none() | st.floats(0, 1))
    def look(self, progress: float | None) -> None:
        self._try(lambda task: task.polled(progress, NOW))

    @invariant()
    def money_is_never_spent_twice(self) -> None:
        assert self.bought <= 1

    @invariant()
    def only_a_closed_task_is_never_looked_at(self) -> None:
        assert (self.task.due_at is None) == (self.task.delivered_at is not None)

    @invariant()
    def a_running_task_has_an_id(self) -> None:
        if self.task.state in (S.RUNNING, S.SUCCEEDED):
            assert self.task.remote_id is not None

    @invariant()
    def a_finished_task_says_when(self) -> None:
        assert (self.task.finished_at is not None) == (self.task.state in END_STATES)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
TestLife = Life.TestCase


def test_every_move_leaves_the_task_it_was_asked_of_as_it_was() -> None:
    task = a_task(state=S.RUNNING)
    copy = replace(task)
    task.polled(0.3, NOW)
    task.failed("expired", "", NOW)
    assert task == copy


def test_a_copy_has_the_changes_and_all_else_as_it_was() -> None:
    task = a_task(progress=0.5)
    assert changed(task, attempts=3) == replace(task, attempts=3)
    assert changed(task) == task


def test_a_copy_stays_frozen_and_takes_no_unknown_field() -> None:
    with pytest.raises(FrozenInstanceError):
        changed(a_task()).attempts = 1  # type: ignore[misc]
    with pytest.raises(KeyError):
        changed(a_task(), oars=2)
