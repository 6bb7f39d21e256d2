"""Pausing: /pause and /resume, and the buttons that do the same. All of it for the bot's admins alone.

`pause:<model>` and `resume:<model>@<mark>` on a button; without a model everything is meant. The mark says
which pause it ends: an old button must not end a newer one. `stay:` leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.cards.layout import Card, cut
from bot.chat.handlers import ChatButtonPress
from bot.chat.operators.notice_buttons import PAUSE, RESUME
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.messenger import Messenger
from bot.request import Problem, VideoModel
from bot.store import TaskFilter, TaskStore
from bot.store.budget import EVERYTHING, Pause
from bot.task import TaskState
from bot.text import plain, say
from bot.worker.purchase_guard import PurchaseGuard

_RUNNING = frozenset({TaskState.SUBMITTING, TaskState.RUNNING})


class AdminPause:
    def __init__(
        self,
        *,
        purchase_guard: PurchaseGuard,
        access: Access,
        tasks: TaskStore,
        names: DisplayNames,
        messenger: Messenger,
        models: Mapping[str, VideoModel],
        zone: ZoneInfo,
    ) -> None:
        self._purchase_guard = purchase_guard
        self._access = access
        self._tasks = tasks
        self._names = names
        self._messenger = messenger
        self._models = models
        self._zone = zone

    async def pause(self, sender: Sender, intent: Intent) -> None:
        await self._command(sender, intent, PAUSE)

    async def resume(self, sender: Sender, intent: Intent) -> None:
        await self._command(sender, intent, RESUME)

    async def tap_pause(self, tap: ChatButtonPress) -> Problem | None:
        return await self._tap(tap, PAUSE)

    async def tap_resume(self, tap: ChatButtonPress) -> Problem | None:
        return await self._tap(tap, RESUME)

    async def tap_stay(self, tap: ChatButtonPress) -> Problem | None:
        """To the question of the brake: no, not yet."""
        if not await self._access.is_admin(tap.sender.user_id):
            return Problem("tap_private", {})
        await self._messenger.redraw(tap.sender, await self._paused(tap.sender.language, EVERYTHING))
        return None

    async def _command(self, sender: Sender, intent: Intent, verb: str) -> None:
        name = intent.words.strip().lower()
        if name and name not in self._models:
            values = {"model": cut(name, 60), "choices": list(self._models)}
            await self._messenger.answer(sender, say(sender.language, "model_unknown", **values))
            return
        card = await self._do(sender, name, verb)
        await self._messenger.answer(sender, card.text, card.buttons)

    async def _tap(self, tap: ChatButtonPress, verb: str) -> Problem | None:
        if not await self._access.is_admin(tap.sender.user_id):
            return Problem("tap_private", {})
        model, _, mark = tap.choice.partition("@")
        if model and model not in self._models:
            return Problem("tap_gone", {})
        meant = [
            pause
            for pause in await self._purchase_guard.pauses()
            if (pause.model, pause.mark) == (model, mark)
        ]
        if verb == RESUME and not meant:
            return Problem("tap_too_late", {})
        await self._messenger.redraw(tap.sender, await self._do(tap.sender, model, verb))
        return None

    async def _do(self, sender: Sender, model: str, verb: str) -> Card:
        """`model` may be `EVERYTHING`."""
        if verb == PAUSE:
            await self._purchase_guard.pause(model, sender.user_id)
            return await self._paused(sender.language, model)
        ended = await self._purchase_guard.resume(model, sender.user_id)
        return await self._resumed(sender.language, ended)

    async def _paused(self, language: str, model: str) -> Card:
        """What is paused, since when and by whom; it may have been before."""
        found = next((one for one in await self._purchase_guard.pauses() if one.model == model), None)
        if found is None:
            return Card(say(language, "resume_nothing"), None)
        what = say(language, "paused_model", model=model) if model else say(language, "paused_all")
        lines = [f"<b>{what}</b> {await self._since(language, found)}"]
        if model == EVERYTHING:
            lines.append(await self._figures(language))
        label = say(language, "button_resume_model", model=model) if model else say(language, "button_resume")
        button = InlineKeyboardButton(plain(label), callback_data=f"{RESUME}:{model}@{found.mark}")
        return Card("\n".join(lines), InlineKeyboardMarkup([[button]]))

    async def _resumed(self, language: str, ended: list[Pause]) -> Card:
        models = [pause.model for pause in ended if pause.model]
        if any(not pause.model for pause in ended):
            lines = [say(language, "resumed_all")]
        elif models:
            lines = [say(language, "resumed_models", models=models)]
        else:
            lines = [say(language, "resume_nothing")]
        if await self._purchase_guard.blocks_everything():
            lines.append(say(language, "resume_all_paused"))
        elif ended:
            lines.append(await self._figures(language))
        return Card("\n".join(lines), None)

    async def _since(self, language: str, pause: Pause) -> str:
        time = f"{pause.at.astimezone(self._zone):%H:%M}"
        if pause.is_brake:
            return say(language, "paused_by_brake", time=time)
        # The name is HTML by now.
        return say(language, "paused_by", time=time, name="\0").replace(
            "\0", await self._names.link(pause.by)
        )

    async def _figures(self, language: str) -> str:
        """What waits, and what runs on."""
        waiting = await self._tasks.count_tasks(TaskFilter(states=frozenset({TaskState.QUEUED})))
        running = await self._tasks.count_tasks(TaskFilter(states=_RUNNING))
        return say(language, "paused_figures", waiting=waiting, running=running)
