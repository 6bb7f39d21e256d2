"""The card renderer: what the card of a task says at this moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from bot.bounded_dict import BoundedDict
from bot.chat.cards.draft_card import draw_draft
from bot.chat.cards.eta import Estimator
from bot.chat.cards.layout import Card, join
from bot.chat.cards.price_labels import PriceLabels, no_price_labels
from bot.chat.cards.task_card import draw_caption, draw_card
from bot.request import VideoModel
from bot.task import Task, TaskState

_NOTES = 1000
"""How many are remembered at most."""


async def none_unusable() -> frozenset[str]:
    """Return no model: all can be bought from."""
    return frozenset()


class CardRenderer:
    def __init__(
        self,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
        estimator: Estimator,
        *,
        price_labels: Callable[[], PriceLabels] = no_price_labels,
        asides: Sequence[Callable[[Task], Awaitable[str]]] = (),
        unusable: Callable[[], Awaitable[frozenset[str]]] = none_unusable,
        username: Callable[[], str] = str,
    ) -> None:
        """`asides`: paragraphs of a draft that the store decides, such as what the day still allows.
        `unusable`: the models that are no way out. `username`: the bot's, known once it has logged in."""
        self.models = models
        self._clock = clock
        self._estimator = estimator
        self._price_labels = price_labels
        self._asides = asides
        self._unusable = unusable
        self._username = username
        self._notes: BoundedDict[str, tuple[str, datetime | None]] = BoundedDict(_NOTES)

    def note(self, task: Task, line: str, until: datetime | None = None) -> None:
        """Add a line to the task's card, until then or for as long as it counts. A restart forgets it."""
        self._notes[task.id] = (line, until)

    def usual_s(self, task: Task) -> float | None:
        return self._estimator.usual_s(task)

    async def card(self, task: Task, *, quiet: bool) -> Card:
        """Return the card of a task that has no video to show."""
        now = self._clock()
        line, until = self._notes.get(task.id, ("", None))
        if until is not None and now >= until:
            line = ""
        line = line or await self._aside(task)
        estimate = await self._estimator.of(task)
        unusable = await self._unusable() if task.state is TaskState.FAILED else frozenset()
        return draw_card(
            task,
            self.models,
            now,
            estimate,
            line,
            quiet=quiet,
            price_labels=self._price_labels(),
            unusable=unusable,
        )

    async def draft(self, task: Task, opened: str | None) -> Card:
        """Return the card of a draft, with the choices of the `opened` option."""
        usual_s = self._estimator.usual_s(task)
        left, price_labels = await self._aside(task), self._price_labels()
        return draw_draft(
            task, self.models, self._clock(), opened, usual_s, price_labels=price_labels, left=left
        )

    def caption(self, task: Task, *, is_shrunk: bool = False) -> Card:
        """Return what stands under the finished video."""
        return draw_caption(
            task, self.models, self._price_labels(), is_shrunk=is_shrunk, username=self._username()
        )

    async def _aside(self, task: Task) -> str:
        return join(*[await aside(task) for aside in self._asides])
