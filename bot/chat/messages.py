"""Messages: each is answered by what its intent says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from telegram import Bot, Message

from bot.chat.access import Access
from bot.chat.asker import Asker
from bot.chat.intent import Intent, read_intent
from bot.chat.orders import Orders
from bot.chat.screen import Screen
from bot.chat.words import EXAMPLES, Words, flags_for, read_words
from bot.request import Problem, VideoModel, shown
from bot.settings import Settings
from bot.store import TaskStore
from bot.task import Task, TaskState
from bot.text import choose_language, say


class Messages:
    def __init__(
        self,
        *,
        bot: Bot,
        tasks: TaskStore,
        screen: Screen,
        orders: Orders,
        access: Access,
        models: Mapping[str, VideoModel],
        settings: Settings,
    ) -> None:
        self._bot = bot
        self._tasks = tasks
        self._screen = screen
        self._orders = orders
        self._access = access
        self._models = models
        self._settings = settings

    async def handle(self, update_id: int, message: Message) -> None:
        intent = read_intent(message, self._bot.username, self._bot.id)
        asker = self._asker(update_id, message)
        if intent.wish == "nothing" or asker is None or await self._orders.known(asker):
            return
        claims = intent.wish == "start" and self._access.is_claim(intent.words)
        if claims and asker.chat_id > 0 and await self._access.claim(intent.words, asker.user_id):
            await self._answer(asker, "claimed")
            return
        if not await self._access.may_ask(asker.user_id, asker.chat_id):
            await self._turn_away(asker, intent)
            return
        match intent.wish:
            case "start" if asker.chat_id > 0:
                await self._answer(asker, "claim_used" if claims else "start")
            case "start" | "help":
                await self._help(asker)
            case "unknown":
                await self._answer(asker, "unknown_command")
            case "no_photo":
                await self._answer(asker, "not_a_photo_sent")
            case "video":
                await self._video(asker, intent)
            case "draft":
                await self._draft(asker, intent)
            case "text":
                await self._text(asker, intent)

    async def _video(self, asker: Asker, intent: Intent) -> None:
        words = read_words(intent.words)
        request, problems = self._orders.read(words, intent.photo)
        if not problems:
            await self._refuse(asker, await self._orders.start(asker, request))
        elif {problem.code for problem in problems} == {"prompt_missing"}:
            await self._orders.ask_words(asker, request)
        elif {problem.code for problem in problems} == {"prompt_missing_with_photo"}:
            await self._orders.draft(asker, request, "card_ask_photo_words")
        else:
            await self._refuse(asker, problems[0])

    async def _draft(self, asker: Asker, intent: Intent) -> None:
        """A photo alone, or one that somebody else made: what should happen, and should it?"""
        request, problems = self._orders.read(read_words(intent.words), intent.photo)
        if [problem for problem in problems if problem.code != "prompt_missing_with_photo"]:
            await self._refuse(asker, problems[0])
        elif request.prompt:
            await self._orders.draft(asker, request, "card_draft")
        else:
            await self._orders.draft(asker, request, "card_ask_photo_words" if problems else "card_ask_photo")

    async def _text(self, asker: Asker, intent: Intent) -> None:
        """An answer to a question of ours, the words for a photo, or in private a wish in plain words."""
        draft = await self._question(asker, intent)
        if draft is not None:
            await self._complete(asker, draft, read_words(intent.words))
        elif asker.chat_id > 0:
            request, problems = self._orders.read(read_words(intent.words), None)
            if problems:
                await self._refuse(asker, problems[0])
            else:
                await self._orders.draft(asker, request, "card_draft")

    async def _question(self, asker: Asker, intent: Intent) -> Task | None:
        if intent.answers is not None:
            task = await self._tasks.find(card=(asker.chat_id, intent.answers))
            asked = task is not None and task.state is TaskState.DRAFT and task.question is not None
            if task is not None and asked and task.user_id == asker.user_id:
                return task
        if asker.chat_id < 0:
            return None
        drafts = await self._tasks.drafts(asker.chat_id, asker.user_id)
        newest = drafts[0] if drafts else None
        return newest if newest is not None and self._orders.awaits_words(newest) else None

    async def _complete(self, asker: Asker, task: Task, words: Words) -> None:
        kept = task.request.model_dump(exclude_none=True, exclude={"prompt", "photos"})
        request, problems = self._orders.read(replace(words, options={**kept, **words.options}), None)
        request = request.model_copy(update={"photos": task.request.photos})
        if task.request.photos:
            problems = [*words.problems, *self._orders.problems(request)]
        if problems:
            await self._refuse(asker, problems[0])
            return
        start = task.question == "card_ask_words"
        await self._refuse(asker, await self._orders.answered(task, asker, request, start=start))

    async def _help(self, asker: Asker) -> None:
        offered = shown(self._models)
        await self._answer(
            asker,
            "help_group" if asker.chat_id < 0 else "help",
            bot=self._bot.username,
            models=", ".join(offered),
            options=", ".join(EXAMPLES[flag] for flag in flags_for([self._models[name] for name in offered])),
        )

    async def _turn_away(self, asker: Asker, intent: Intent) -> None:
        if asker.chat_id < 0 and intent.wish == "text":
            return
        if await self._access.tell_stranger(asker.user_id, asker.chat_id):
            key = "stranger_group" if asker.chat_id < 0 else "stranger"
            await self._answer(asker, key, user_id=asker.user_id, chat_id=asker.chat_id)

    async def _refuse(self, asker: Asker, problem: Problem | None) -> None:
        if problem is not None:
            await self._answer(asker, problem.code, **problem.values)

    async def _answer(self, asker: Asker, key: str, **values: object) -> None:
        await self._screen.answer(asker, say(asker.language, key, **values))

    def _asker(self, update_id: int, message: Message) -> Asker | None:
        sender = message.sender_chat or message.from_user
        if sender is None:
            return None
        person = message.from_user
        name = person.first_name if person and not message.sender_chat else (message.author_signature or "")
        code = person.language_code if person else None
        return Asker(
            update_id=update_id,
            chat_id=message.chat_id,
            thread_id=message.message_thread_id if message.is_topic_message else None,
            user_id=sender.id,
            user_name=name,
            message_id=message.message_id,
            language=choose_language(code, self._settings.default_language),
            sent_at=message.date,
            album_id=message.media_group_id,
        )
