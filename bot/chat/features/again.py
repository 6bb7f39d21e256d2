"""Again: a finished video's recipe once more, as it was or with other words."""

from __future__ import annotations

from bot.chat.ordering.orders import Orders
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import read_words
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.request import Problem
from bot.store import TaskStore
from bot.task import Task, TaskState
from bot.text import say


class Again:
    def __init__(
        self, tasks: TaskStore, reading: RequestBuilder, orders: Orders, messenger: Messenger
    ) -> None:
        self._tasks = tasks
        self._reading = reading
        self._orders = orders
        self._messenger = messenger

    async def command(self, sender: Sender, intent: Intent) -> None:
        """`/again`: the video that it replies to, else the person's newest here. What follows changes it."""
        task = await self._meant(sender, intent)
        if task is None:
            is_reply = intent.answers is not None or intent.video is not None
            await self._answer(sender, Problem("again_unknown" if is_reply else "again_none", {}))
            return
        # The same seed would give the same video.
        unseeded = task.request.model_copy(update={"seed": None})
        request, problems = self._reading.read(read_words(intent.words), None, unseeded)
        problem = problems[0] if problems else await self._orders.start(sender, request, task.id)
        if problem is not None:
            await self._answer(sender, problem)

    async def reword(self, sender: Sender, intent: Intent) -> bool:
        """Words in reply to a finished video: a draft of its recipe with them. False where they are not."""
        task = await self._shown(sender, intent.answers)
        if task is None:
            return False
        request, problems = self._reading.read(read_words(intent.words), None, task.request)
        if problems:
            await self._answer(sender, problems[0])
        else:
            await self._orders.draft(sender, request, "card_draft", task.id)
        return True

    async def _meant(self, sender: Sender, intent: Intent) -> Task | None:
        if intent.answers is not None or intent.video is not None:
            return await self._shown(sender, intent.answers)
        return next(iter(await self._tasks.history(sender.chat_id, sender.user_id, 1)), None)

    async def _shown(self, sender: Sender, card_id: int | None) -> Task | None:
        """The task whose video stands on that message, as long as its recipe is remembered."""
        task = None if card_id is None else await self._tasks.find(card=(sender.chat_id, card_id))
        if task is None or task.state is not TaskState.SUCCEEDED:
            return None
        return task if task.request.prompt or task.request.photos else None

    async def _answer(self, sender: Sender, problem: Problem) -> None:
        await self._messenger.answer(sender, say(sender.language, problem.code, **problem.values))
