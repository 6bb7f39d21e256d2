"""When to poll a job again, when to repeat a step after a failure, and when to give up. Pure figures."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from bot.codes import FailureCode
from bot.request import VideoModel, VideoRequest, lines_of, settle
from bot.task import Task
from bot.worker.duration_model import ENOUGH_TASKS, Durations, Plan, keys, observed, plan

CLAIM_PAUSE_S = 0.05
"""Between two claims: too short to be noticed, and ten thousand tasks in flight take few transactions."""
LEASE_S = 300.0
"""How long a claim lasts: longer than any one step may take. A delivery renews it."""
SUBMIT_LIMIT_S = 60.0
"""A photo of 4.7 MB over a slow line, and the provider's own work."""
POLL_LIMIT_S = 30.0
DELIVERY_LEASE_S = 270.0
"""How much of its lease a delivery has left when it begins, after the wait for an upload slot."""
RENEW_LEASE_S = 200.0
"""A delivery with less of its lease left renews it."""
FETCH_LIMIT_S = 3600.0
"""The fetcher has its own limits: on stalled downloads, and by size."""
UPLOAD_LIMIT_S = 150.0
"""Longer for a large file: `upload_limit_s`. A stalled upload ends sooner."""
_SLOWEST_UPLOAD_BYTES_PER_S = 10_000
ENCODE_LIMIT_S = 1300.0
"""Includes the wait for a free processor."""
YOUNG_LINK_FOR = timedelta(minutes=5)
"""A link may exist before its file does: for so long it is retried, whatever it answers."""
SLOW_FETCH_S = 5.0
"""The card says so if a fetch takes longer."""
UPLOAD_SLOT_LIMIT_S = 20.0
PAUSED_S = 20.0
"""A task of a paused model is tried again this often; it goes on so long after the pause, at most."""
UPDATE_LEASE_S = 290.0
"""Longer than handling one may take, with two files to be fetched and read."""
STORE_PAUSE_S = 5.0
"""After the database refused: its disk is full, or another program has locked it."""
UPDATE_ATTEMPTS = 5
"""Tries of an update, if waiting may help; then it is parked, so that its person's next one is handled."""
UPDATE_ATTEMPTS_IN_OUTAGE = 20
"""The same if Telegram does not answer: with the pauses of `retry_at` that is over an hour."""
DRAFT_PRIVATE = timedelta(hours=24)
DRAFT_GROUP = timedelta(hours=1)
ALBUM_PAUSE = timedelta(seconds=1.2)
"""After the last photo of an album: they arrive one by one, and none says that it is the last."""
ALBUM_LIMIT = timedelta(seconds=5)

MOST_REQUEUED = 2
"""How often a job is ordered again without asking that was accepted and then ended for want of a slot."""
_DOUBTED_POLLS = 5
_DOUBTED_FOR = timedelta(minutes=5)
_OUTAGE_TRIES = 5
_OUTAGE_FOR = timedelta(hours=1)
_FAULT_FOR = timedelta(minutes=15)
_TELLING_FOR = timedelta(days=2)
_RARE_S = 600.0
_POLLS = 8.7
"""Planned for a job. About eight are made: durations learned from polls are wider than the true ones."""
_POLLS_WHILE_OTHERS_WAIT = 18.3
"""About sixteen are made. To notice a free slot early is worth as much as the video that it takes next."""
_LATE_S = 120.0
"""No job is late before, however quick the others are."""
_UNCLEAR_FACTOR = 3.0

Clock = Literal["queued", "running"]
"""Which time of a job runs: its wait in the provider's own queue, or its making."""


class Schedule:
    """When to poll a job, and how long it usually takes, as learned from earlier jobs like it.

    A free model runs on this machine, where a poll costs nothing: it is polled every second.
    `poll_max_s` bounds every wait for the next poll, except that of a late job; 0 is no bound.
    """

    def __init__(self, poll_max_s: float = 60.0) -> None:
        self._poll_max_s = poll_max_s
        self._known: dict[str, Durations] = {}
        self._plans: dict[tuple[str, float, float], Plan] = {}

    def remember(self, rows: Mapping[str, str]) -> None:
        """Replace what is known by rows of a `ProviderStore`. Damaged rows are skipped."""
        for key, text in rows.items():
            try:
                learned = Durations.from_text(text)
            except ValueError:
                continue
            if learned != self._known.get(key):
                self._known[key] = learned
                self._plans = {plan: made for plan, made in self._plans.items() if plan[0] != key}

    def next_poll(self, task: Task, model: VideoModel, now: datetime, *, others_wait: bool) -> datetime:
        """Return when to poll the job next. `others_wait`: whether tasks wait for a slot of this provider."""
        if task.late_at is not None:
            return now + timedelta(seconds=_RARE_S)
        if model.free:
            return now + timedelta(seconds=1.0)
        if task.request.off_peak:
            # Its provider makes it at any time, so nothing can be learned from that.
            return now + timedelta(seconds=_RARE_S)
        clock, since = clock_of(task)
        elapsed_s = (now - (since or now)).total_seconds()
        polls = _POLLS_WHILE_OTHERS_WAIT if others_wait else _POLLS
        next_s = self._plan(model, task.request, clock, polls).after(elapsed_s)
        return now + timedelta(seconds=next_s - elapsed_s)

    def poll_again(self, task: Task, now: datetime, retry_after_s: float | None = None) -> datetime:
        """Return when to poll after a failed poll: after a growing pause, or when the provider says."""
        if task.late_at is not None:
            return now + timedelta(seconds=max(_RARE_S, retry_after_s or 0.0))
        later = retry_at(task.attempts, now)
        bound = min(later, now + timedelta(seconds=self._poll_max_s)) if self._poll_max_s else later
        return max(bound, now + timedelta(seconds=retry_after_s or 0.0))

    def is_late(self, task: Task, model: VideoModel, now: datetime) -> bool:
        """Return True if the job has become late: it takes longer than 99 of 100, and than two minutes."""
        clock, since = clock_of(task)
        if task.request.off_peak:
            since, off_peak_s = task.submitted_at, 3600.0 * model.off_peak_hours
            return task.late_at is None and (now - (since or now)).total_seconds() > off_peak_s
        late_s = self._durations(model, task.request, clock).late_s()
        return task.late_at is None and (now - (since or now)).total_seconds() > max(_LATE_S, late_s)

    def usual_s(self, model: VideoModel, request: VideoRequest | None = None) -> float:
        """Return the median duration of such videos, from the submit; without a request, of the usual size.

        The wait in the provider's own queue counts if most of them waited there.
        """
        running = self._durations(model, request, "running")
        queued = self._durations(model, request, "queued")
        return running.usual_s() + (queued.usual_s() if 2 * queued.tasks > running.tasks else 0.0)

    def usual_now_s(self, task: Task, model: VideoModel) -> float:
        """Return the median duration by the clock that runs for the task (`clock_of`)."""
        return self._durations(model, task.request, clock_of(task)[0]).usual_s()

    def _plan(self, model: VideoModel, request: VideoRequest, clock: Clock, polls: float) -> Plan:
        fine_key, coarse_key = duration_keys(model, request, clock)
        is_known = self._fine(fine_key) is not None
        key = (fine_key, 1.0, polls) if is_known else (coarse_key, size_of(model, request, clock), polls)
        if key not in self._plans:
            self._plans[key] = plan(self._durations(model, request, clock), polls, self._poll_max_s)
        return self._plans[key]

    def _durations(self, model: VideoModel, request: VideoRequest | None, clock: Clock) -> Durations:
        """Return those of such videos; while too few were seen, those of the model, scaled to their size."""
        asked = request or VideoRequest(model=model.name)
        fine_key, coarse_key = duration_keys(model, asked, clock)
        fine = None if request is None else self._fine(fine_key)
        coarse = self._known.get(coarse_key) or Durations(model.typical_s)
        return fine or coarse.scaled(size_of(model, asked, clock))

    def _fine(self, key: str) -> Durations | None:
        known = self._known.get(key)
        return known if known is not None and known.tasks >= ENOUGH_TASKS else None


def clock_of(task: Task) -> tuple[Clock, datetime | None]:
    """Return which clock runs for a task, and since when: "queued" while its provider has it in a queue."""
    if task.polled_at is not None and task.running_at is None:
        return "queued", task.submitted_at
    return "running", task.running_at or task.submitted_at


def duration_keys(model: VideoModel, request: VideoRequest, clock: Clock) -> tuple[str, str]:
    """Return the keys under which such a video is learned: a narrow one, and that of its model."""
    settled = settle(request, model)
    return keys(model.name, settled.seconds or 0, settled.resolution or "any", clock)


def size_of(model: VideoModel, request: VideoRequest, clock: Clock) -> float:
    """Return how much longer such a video should take than one for which nothing was chosen.

    It grows with the seconds, and with the shorter side in pixels: twice as many of those are four times as
    many pixels, but not four times the time. A wait in the provider's queue does not depend on it.
    """
    if clock == "queued":
        return 1.0
    asked, usual = settle(request, model), settle(VideoRequest(model=model.name), model)
    longer = (asked.seconds or 1) / (usual.seconds or 1)
    return longer * (lines_of(asked.resolution or "") or 1.0) / (lines_of(usual.resolution or "") or 1.0)


def lesson(
    model: VideoModel, request: VideoRequest, clock: Clock, a_s: float, b_s: float | None
) -> Callable[[str, str | None], str]:
    """Return what a job teaches that was not done at `a_s` and done at `b_s`: a change for the rows of its
    `duration_keys`. Under the key of its model it counts as one of the usual size."""
    fine_key, size = duration_keys(model, request, clock)[0], size_of(model, request, clock)

    def change(key: str, text: str | None) -> str:
        scale = 1.0 if key == fine_key else 1 / size
        known = _read_durations(text, model.typical_s * size * scale)
        return observed(known, a_s * scale, None if b_s is None else b_s * scale).to_text()

    return change


def _read_durations(text: str | None, typical_s: float) -> Durations:
    """Read a stored text; without one, or if it is damaged, nothing is known but the typical duration."""
    try:
        return Durations.from_text(text) if text else Durations(typical_s)
    except ValueError:
        return Durations(typical_s)


def album_due(sent_at: datetime, now: datetime) -> datetime:
    """Return when an album is complete whose latest photo arrived now. An old album arrives all at once."""
    limit = sent_at + ALBUM_LIMIT
    return min(now + ALBUM_PAUSE, limit) if limit > now else now + ALBUM_PAUSE


def retry_at(attempts: int, now: datetime, retry_after_s: float | None = None) -> datetime:
    """Return when to retry after `attempts` failures in a row: exponential backoff from 2 s to 5 min.

    Jitter of a fifth keeps tasks that failed together from returning together. Never before `retry_after_s`.
    """
    wait_s = min(2.0 * 2 ** min(attempts, 10), 300.0) * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
    return now + timedelta(seconds=max(wait_s, retry_after_s or 0.0))


def gives_up_polling(code: str, polls: Sequence[datetime], now: datetime) -> bool:
    """Return True if a doubted answer (`bot.codes.DOUBTED`) ends the task: five polls in a row, over minutes.

    `polls` says when each of them began, the last one included. No other failed poll ends a task.
    """
    doubted_for = _FAULT_FOR if code == FailureCode.PROVIDER_FAULT else _DOUBTED_FOR
    return len(polls) >= _DOUBTED_POLLS and now - min(polls) >= doubted_for


def gives_up_submitting(task: Task, now: datetime) -> bool:
    """Return True if a provider that is down, or reports a fault at each try, has been tried for long enough.

    Nothing was bought, so the task can end.
    """
    return (
        task.failing_since is not None
        and task.attempts >= _OUTAGE_TRIES
        and now - task.failing_since >= _OUTAGE_FOR
    )


def upload_limit_s(size: int) -> float:
    """Return how long the upload of so many bytes may take."""
    return UPLOAD_LIMIT_S + size / _SLOWEST_UPLOAD_BYTES_PER_S


def is_link_young(task: Task, now: datetime) -> bool:
    """Return True if the provider told of the video so recently that its link may not work yet."""
    return task.finished_at is not None and now - task.finished_at < YOUNG_LINK_FOR


def has_asked_long_enough(task: Task, now: datetime) -> bool:
    """Return True if a link has failed for so long that its answer counts."""
    return task.failing_since is not None and now - task.failing_since >= YOUNG_LINK_FOR


def gives_up_telling(task: Task, now: datetime) -> bool:
    """Return True if the chat could not be told for so long that nothing more is tried."""
    return task.failing_since is not None and now - task.failing_since >= _TELLING_FOR


def unclear_until(model: VideoModel, now: datetime) -> datetime:
    """Return until when a submit of unknown outcome occupies its slot: a multiple of the typical duration."""
    return now + timedelta(seconds=min(model.keeps_s, _UNCLEAR_FACTOR * model.typical_s))
