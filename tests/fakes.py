"""Small fakes for the core: a clock that is set by hand, a scripted provider, a chat that writes down."""

from __future__ import annotations

import shutil
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bot.admin.actions import ActionListener, AdminActions
from bot.errors import StaleTask
from bot.media.media_info import FitPhoto, VideoInfo
from bot.media.video_cache import Video, VideoCache
from bot.prices import NO_PRICES, Prices
from bot.provider import Accepted, Photo, PhotoLink, Provider, Status, StillRunning, Succeeded
from bot.request import Crop, Mode, PhotoRules, VideoModel, VideoRequest
from bot.settings import IsolatedSettings, Settings
from bot.store import Attempt, Notice, ProviderStore, Store
from bot.store.leases import SINGLE_PROCESS
from bot.store.tasks import update_task
from bot.stores.sqlite import SQLiteStore
from bot.task import CardRef, Task, TaskState
from bot.web import Health
from bot.worker.deps import UPLOAD_MAX_BYTES, WorkerDeps
from bot.worker.journal import TaskJournal
from bot.worker.loop import Worker
from bot.worker.provider_health import ProviderHealth
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.schedule import LEASE_S, Schedule, is_link_young

STILL = StillRunning()
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

A_MODEL = VideoModel(
    name="jimeng-pro",
    title="Jimeng Pro",
    provider="cloud",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "9:16"),
    seconds=(5, 10),
    resolutions=("1080p",),
    typical_s=100.0,
    prompt_with_photo="optional",
    seed_max=1000,
    keeps_s=12 * 3600.0,
)
"""A paid one, at the provider `cloud`."""
FREE_MODEL = replace(A_MODEL, name="preview", provider="preview", typical_s=10.0, free=True)
A_PHOTO = FitPhoto(b"a photo", 1200, 800, "image/jpeg")
FULL_MODEL = replace(
    A_MODEL,
    modes=frozenset(Mode),
    references=3,
    audio=True,
    negative_prompt=True,
    people=("allow_adult", "dont_allow"),
    enhance=(True, False),
)


def health(is_well: Callable[[], bool] = lambda: True) -> Health:
    """Ready whenever it is well."""

    async def obstacles() -> list[str]:
        return [] if is_well() else ["it is unwell"]

    return Health(is_well, obstacles)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


CARD_FIELDS = [field.name for field in fields(CardRef)]


def a_task(task_id: str = "boat", **changes: Any) -> Task:
    """Queued at NOW in a private chat, its card posted."""
    task = Task(
        id=task_id,
        card=CardRef(chat_id=10, card_id=30),
        user_id=20,
        language="en",
        provider="cloud",
        request=VideoRequest(model="jimeng-pro", prompt="a paper boat"),
        state=TaskState.QUEUED,
        created_at=NOW,
        queued_at=NOW,
        due_at=NOW,
    )
    return changed_task(task, **changes)


def changed_task(task: Task, **changes: Any) -> Task:
    """Return the task with changes to it or, by their own names, to its `CardRef`."""
    card = {name: changes.pop(name) for name in CARD_FIELDS if name in changes}
    return replace(task, card=replace(task.card, **card), **changes)


def task_of(**values: Any) -> Task:
    """Make a task of values for its own fields and for those of its `CardRef`."""
    card = {name: values.pop(name) for name in CARD_FIELDS if name in values}
    return Task(card=CardRef(**card), **values)


LINK = "https://videos.example/1"
KEPT = NOW + timedelta(hours=12)
"""Until when the provider knows the job."""


def made(task_id: str = "boat", **changes: Any) -> Task:
    """A task whose video is ready at the provider."""
    task = a_task(
        task_id,
        state=TaskState.SUCCEEDED,
        remote_id="job-1",
        video_url=LINK,
        keep_until=KEPT,
        finished_at=NOW,
        due_at=NOW,
    )
    return changed_task(task, **changes)


class TasksAround:
    """The tasks of a real store, and all its other subjects; a subclass puts itself around single calls."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self.tasks = self

    async def update(
        self, task_id: str, move: Callable[[Task], Task], attempt: Attempt | None = None
    ) -> Task | None:
        around: Any = self
        return await update_task(around, task_id, move, attempt)

    def __getattr__(self, name: str) -> Any:
        places: tuple[Any, ...] = (self._store, self._store.tasks, self._store.budget)
        return next(getattr(place, name) for place in places if hasattr(place, name))


class Script:
    """Answers in turn, the last one for ever: a value is returned, an error raised, a function called."""

    def __init__(self, *answers: object) -> None:
        self._answers = deque(answers)
        self.count = 0

    async def next(self) -> Any:
        self.count += 1
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            made = answer()
            return await made if isinstance(made, Awaitable) else made
        return answer


class ScriptedProvider:
    """Answers as its scripts say, and counts what it was asked."""

    def __init__(self, clip: Path, name: str = "cloud", models: Sequence[VideoModel] = (A_MODEL,)) -> None:
        self.name = name
        self.models = models
        self.concurrency = 1
        self.submits = Script(Accepted("job-1"))
        self.polls = Script(Succeeded("https://videos.example/1", 3600.0))
        self.cancels = Script(False)
        self.fetches = Script(None)
        self.cancelled: list[str] = []
        self.requests: list[VideoRequest] = []
        self.photos: list[Sequence[Photo]] = []
        self.fetched: list[str] = []
        self._clip = clip

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        self.requests.append(request)
        self.photos.append(photos)
        accepted: Accepted = await self.submits.next()
        return accepted

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        status: Status = await self.polls.next()
        return status

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        self.cancelled.append(remote_id)
        is_stopped: bool = await self.cancels.next()
        return is_stopped

    async def fetch(self, video_url: str, target: Path) -> None:
        self.fetched.append(video_url)
        await self.fetches.next()
        shutil.copyfile(self._clip, target)

    async def close(self) -> None:
        pass


class RecordingChat:
    """Writes down what it was asked to show. `scripts` says what each call meets; by default all is well."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Task]] = []
        self.shown: list[Task] = []
        self.videos: list[VideoInfo] = []
        """Put on cards."""
        self.scripts: defaultdict[str, Script] = defaultdict(
            lambda: Script("file-1"), {"photo": Script(A_PHOTO)}
        )

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    async def photo(self, file_id: str, rules: PhotoRules, crop: Crop | None, user_id: int) -> FitPhoto:
        photo: FitPhoto = await self.scripts["photo"].next()
        return photo

    def show(self, task: Task) -> None:
        self.shown.append(task)

    async def deliver(self, task: Task, video: Video) -> str:
        self.videos.append(video.facts)
        return await self._call("deliver", task)

    async def send(self, task: Task, video: Video) -> str:
        return await self._call("send", task)

    async def offer(self, task: Task) -> None:
        await self._call("offer", task)

    async def complete_album(self, task: Task) -> None:
        await self._call("complete_album", task)

    async def tell(self, task: Task) -> None:
        await self._call("tell", task)

    async def redirect(self, task: Task) -> int:
        await self._call("redirect", task)
        return task.user_id

    async def _call(self, name: str, task: Task) -> str:
        self.calls.append((name, task))
        file_id: str = await self.scripts[name].next()
        return file_id


class StoreParts(SimpleNamespace):
    """A store with only the parts that are given, and nobody to share it with."""

    def __getattr__(self, name: str) -> Any:
        if name == "leases":
            return SINGLE_PROCESS
        raise AttributeError(name)


async def nobody_told(_: Notice) -> None:
    pass


def a_purchase_guard(
    store: Store,
    clock: Callable[[], datetime],
    settings: Callable[[], Settings] = IsolatedSettings,
    models: Mapping[str, VideoModel] | None = None,
    tell_admins: Callable[[Notice], Awaitable[None]] = nobody_told,
) -> PurchaseGuard:
    return PurchaseGuard(
        store,
        settings=settings,
        models=models or {},
        tell_admins=tell_admins,
        changed=lambda: None,
        clock=clock,
    )


NO_LISTENER = ActionListener()


class GuardListener(ActionListener):
    def __init__(self, purchase_guard: PurchaseGuard) -> None:
        self._purchase_guard = purchase_guard

    async def pauses_changed(self) -> None:
        await self._purchase_guard.refresh()


def admin_actions(
    store: Store,
    clock: Callable[[], datetime],
    models: Mapping[str, VideoModel],
    *,
    prices: Prices = NO_PRICES,
    listener: ActionListener = NO_LISTENER,
) -> AdminActions:
    return AdminActions(
        store,
        models,
        quote=lambda request: prices.quote(request, models[request.model]),
        configured_admins=frozenset(),
        clock=clock,
        listener=listener,
    )


class WorkerHarness:
    """A worker with all its steps, on a store, with fakes around it."""

    def __init__(
        self,
        store: Store,
        provider: ScriptedProvider | Sequence[ScriptedProvider],
        clock: Clock,
        folder: Path,
        chat: RecordingChat | None = None,
        models: Mapping[str, VideoModel] | None = None,
        stop_limit_s: float = 8.0,
        save_pauses_s: Sequence[float] = (),
        failover: bool = False,
        durations: ProviderStore | None = None,
        prices: Prices = NO_PRICES,
        max_bytes: int = UPLOAD_MAX_BYTES,
        video_cache: VideoCache | None = None,
    ) -> None:
        self.store = store
        working = [provider] if isinstance(provider, ScriptedProvider) else provider
        self.provider = working[0]
        self.clock = clock
        self.folder = folder
        self.chat = chat or RecordingChat()
        self.video_cache = video_cache or VideoCache(folder / "videos")
        if models is None:
            models = {model.name: model for one in working for model in one.models}
        providers: dict[str, Provider] = {one.name: one for one in working}
        self.notices: list[Notice] = []
        self.on_notice: Callable[[Notice], Awaitable[None]] | None = None
        self.schedule = Schedule()
        self.slots = {one.name: one.concurrency for one in working}
        self.settings: Settings = IsolatedSettings()
        self.purchase_guard = a_purchase_guard(store, clock, lambda: self.settings, models, self.tell_admins)
        self.actions = admin_actions(
            store, clock, models, prices=prices, listener=GuardListener(self.purchase_guard)
        )
        self.health = ProviderHealth(store, self.slots, self.tell_admins, clock)
        deps = WorkerDeps(
            chat=self.chat,
            providers=providers,
            models=dict(models),
            journal=TaskJournal(store.tasks, clock, self._saved),
            schedule=self.schedule,
            durations=durations or store.providers,
            people=store.people,
            health=self.health,
            purchase_guard=self.purchase_guard,
            video_cache=self.video_cache,
            link=lambda task, index, photo: PhotoLink(
                f"https://bot.example/{task.id}/{index}", photo.width, photo.height
            ),
            quote=lambda request: prices.quote(request, models[request.model]),
            failover=failover,
            upload_max_bytes=max_bytes,
            save_pauses_s=save_pauses_s,
        )
        self.worker = Worker(deps, store, self.chat, stop_limit_s=stop_limit_s)
        self.submitter = self.worker.submitter

    def _saved(self, task: Task, attempt: Attempt | None) -> None:
        if attempt is not None:
            self.health.record(attempt, is_link_young=is_link_young(task, attempt.at))

    async def tell_admins(self, notice: Notice) -> None:
        self.notices.append(notice)
        if self.on_notice is not None:
            await self.on_notice(notice)

    async def turn(self) -> int:
        """All that is due takes one step, as in `Worker.run`; how many did."""
        slots = dict.fromkeys(self.slots, 0) if await self.purchase_guard.blocks_everything() else self.slots
        claimed = await self.store.tasks.claim(self.clock(), LEASE_S, 50, slots)
        for task in claimed:
            with suppress(StaleTask):
                await self.worker.step(task)
        return len(claimed)

    async def turn_until(self, is_so: Callable[[Task], bool], task_id: str = "boat", most: int = 60) -> Task:
        """Step by step, the clock at each step's time, until the task is as wanted."""
        for _ in range(most):
            task = await self.get(task_id)
            if is_so(task):
                return task
            if task.due_at is not None:
                self.clock.now = max(self.clock.now, task.due_at)
            if not await self.turn() and (due_at := await self.store.tasks.next_due(self.clock())):
                self.clock.now = max(self.clock.now, due_at)
        raise AssertionError(f"it never came: {task}")

    async def close_task(self, task_id: str = "boat") -> Task:
        return await self.turn_until(lambda task: task.delivered_at is not None, task_id)

    def on_shelf(self) -> list[str]:
        """The files that are kept."""
        folder = self.folder / "videos"
        return sorted(path.name for path in folder.glob("*.*")) if folder.exists() else []

    async def get(self, task_id: str = "boat") -> Task:
        task = await self.store.tasks.get(task_id)
        assert task is not None
        return task
