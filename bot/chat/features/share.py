"""Recipes: a link to what somebody made, which opens the same as a draft for whoever may use the bot."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from telegram import Bot, InlineKeyboardMarkup

from bot.chat.cards.layout import Card, button, copy_button
from bot.chat.cards.option_buttons import fit_request
from bot.chat.handlers import ButtonPress
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.messenger import Messenger
from bot.request import Problem, VideoModel, VideoRequest, shown
from bot.store import PeopleStore, Recipe, TaskStore
from bot.task import Task, TaskState
from bot.text import say

RECIPE = "recipe"
"""The name under which `Conversation` knows who opens one: nobody can type it, it comes by `/start`."""
SHARE_PHOTO = "share-photo"
"""The verb of the button that makes a link with the photo in it."""
_PREFIX = "r_"
_TOKEN_BYTES = 12
"""96 bits: nobody finds one by trying. With its prefix it fits the 64 characters of a `/start`."""
_SOME_PHOTO = ("photo",)


class Share:
    def __init__(
        self,
        *,
        bot: Bot,
        tasks: TaskStore,
        recipes: PeopleStore,
        reading: RequestBuilder,
        orders: Orders,
        messenger: Messenger,
        models: Mapping[str, VideoModel],
        default_model: Callable[[], str],
        clock: Callable[[], datetime],
        repeats: DuplicateGuard,
    ) -> None:
        self._bot = bot
        self._tasks = tasks
        self._recipes = recipes
        self._reading = reading
        self._orders = orders
        self._messenger = messenger
        self._models = models
        self._default_model = default_model
        self._clock = clock
        self._repeats = repeats

    async def share(self, tap: ButtonPress) -> Problem | None:
        """A link below the video, without the photo."""
        if tap.task.state is not TaskState.SUCCEEDED:
            return Problem("tap_too_late", {})
        if self._repeats.is_repeated(tap.sender.update_id, tap.person_id, tap.task.id, tap.verb):
            return None
        card = await self._card(tap, with_photos=False)
        await self._messenger.answer(tap.sender, card.text, card.buttons)
        return None

    async def share_photo(self, tap: ButtonPress) -> Problem | None:
        """The owner adds the photo: another link, in place of the first."""
        if tap.task.state is not TaskState.SUCCEEDED or not tap.task.request.photos:
            return Problem("tap_too_late", {})
        await self._messenger.redraw(tap.sender, await self._card(tap, with_photos=True))
        return None

    async def open(self, sender: Sender, intent: Intent) -> None:
        """`/start r_…`: a draft of the asker's own; nothing is bought."""
        recipe = await self._recipes.recipe(intent.words.removeprefix(_PREFIX))
        if recipe is None:
            await self._messenger.answer(sender, say(sender.language, "recipe_gone"))
            return
        lacks_photo = await self._lacks_photo(recipe)
        request, problem = self._fitted(recipe.request, lacks_photo)
        if problem is not None:
            await self._messenger.answer(sender, say(sender.language, problem.code, **problem.values))
            return
        if request.model != recipe.request.model:
            values = {"chosen": recipe.request.model, "model": request.model}
            await self._messenger.answer(sender, say(sender.language, "recipe_fitted", **values))
        await self._orders.draft(sender, request, "card_recipe_photo" if lacks_photo else "card_draft")

    async def _card(self, tap: ButtonPress, *, with_photos: bool) -> Card:
        recipe = await self._recipes.add_recipe(
            Recipe(
                token=secrets.token_urlsafe(_TOKEN_BYTES),
                task_id=tap.task.id,
                user_id=tap.task.user_id,
                request=recipe_of(tap.task.request, with_photos=with_photos),
                created_at=self._clock(),
            )
        )
        link = f"https://t.me/{self._bot.username}?start={_PREFIX}{recipe.token}"
        return draw_link(tap.sender.language, tap.task, link, with_photos=with_photos)

    async def _lacks_photo(self, recipe: Recipe) -> bool:
        """Whether it was made from a photo that its owner kept."""
        if recipe.request.photos:
            return False
        task = await self._tasks.get(recipe.task_id)
        return recipe.request.camera is not None or bool(task and task.request.photos)

    def _fitted(self, request: VideoRequest, lacks_photo: bool) -> tuple[VideoRequest, Problem | None]:
        """For its own model, or as near as another one comes that is set up; and why not even that works."""
        whole = request.model_copy(update={"photos": _SOME_PHOTO}) if lacks_photo else request
        names = dict.fromkeys([self._default_model(), *shown(self._models)])
        fits = [fit_request(whole, self._models[name]) for name in names if name in self._models]
        candidates = [whole, *fits] if request.model in self._models else fits
        working = [one for one in candidates if not self._reading.problems(one)]
        if not working:
            return request, self._reading.problems((candidates or [whole])[0])[0]
        return working[0].model_copy(update={"photos": request.photos}), None


def is_recipe(payload: str) -> bool:
    """Whether what follows `/start` is the token of a recipe."""
    return payload.startswith(_PREFIX)


def recipe_of(request: VideoRequest, *, with_photos: bool) -> VideoRequest:
    """What is shared of a request. A video that it goes on from is nobody's but its owner's."""
    kept_back = {} if with_photos else {"photos": (), "crop": None}
    return request.model_copy(update={"extends": None, **kept_back})


def draw_link(language: str, task: Task, link: str, *, with_photos: bool) -> Card:
    """The link, and whether the photo is in it: with a button that adds one that is not."""
    lines = [say(language, "recipe_link", link=link)]
    rows = [[copy_button(language, "button_copy_link", link)]]
    if with_photos:
        lines.append(say(language, "recipe_with_photo"))
    elif task.request.photos:
        lines.append(say(language, "recipe_without_photo"))
        rows.append([button(task, "button_share_photo", SHARE_PHOTO)])
    return Card("\n\n".join(lines), InlineKeyboardMarkup(rows))
