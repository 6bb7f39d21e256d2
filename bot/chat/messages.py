"""Messages: each is answered by what its intent says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from telegram import Bot, Message

from bot.chat.cards.draft_card import ASKS_PHOTO
from bot.chat.cards.photo_picker import QUESTION as WHICH
from bot.chat.chat_settings import ChatPreferences
from bot.chat.command import Command
from bot.chat.features.again import Again
from bot.chat.features.share import RECIPE, is_recipe
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.operators.notices import Notices
from bot.chat.ordering.access import Access
from bot.chat.ordering.albums import Albums, read_album
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.photo_pairs import PhotoPairs
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.message_intent import Intent, SentPhoto, read_intent
from bot.chat.parsing.prompt_options import read_words
from bot.chat.sender import Sender
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.flood_control import MESSAGES, FloodControl
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatMoved, MediaError, StaleTask
from bot.request import Problem, VideoModel, VideoRequest
from bot.store import TaskStore
from bot.task import EXTENDING, TAPPED_EXTENDING, Task, TaskState
from bot.text import say


class Messages:
    def __init__(
        self,
        *,
        bot: Bot,
        tasks: TaskStore,
        messenger: Messenger,
        notices: Notices,
        access_requests: AccessRequests,
        reading: RequestBuilder,
        orders: Orders,
        access: Access,
        models: Mapping[str, VideoModel],
        preferences: ChatPreferences,
        commands: Mapping[str, Command],
        follow: Callable[[int, int], Awaitable[None]],
        albums: Albums,
        pairs: PhotoPairs,
        again: Again,
        extend: Callable[[Task], Awaitable[None]],
        menu: Menu,
        repeats: DuplicateGuard,
    ) -> None:
        self._bot = bot
        self._tasks = tasks
        self._messenger = messenger
        self._notices = notices
        self._access_requests = access_requests
        self._reading = reading
        self._orders = orders
        self._access = access
        self._models = models
        self._preferences = preferences
        self._commands = commands
        self._follow = follow
        self._albums = albums
        self._pairs = pairs
        self._again = again
        self._extend = extend
        self._menu = menu
        self._repeats = repeats
        self._calm = FloodControl(MESSAGES)

    async def handle(self, update_id: int, message: Message) -> None:
        intent = read_intent(message, self._bot.username, self._bot.id)
        sender = await self._sender(update_id, message)
        if sender is None or (intent.kind == "nothing" and intent.photo is None):
            return
        if await self._albums.joined(sender, intent) or intent.kind == "nothing":
            return
        verdict = self._calm.check(sender.chat_id, sender.user_id, update_id, sender.sent_at, sender.album_id)
        if verdict == "drop" or await self._orders.known(sender):
            return
        is_of_files = sender.album_id is not None and intent.photo is None
        if is_of_files and self._repeats.is_repeated(update_id, sender.chat_id, sender.album_id):
            return  # several at once, none of which is a photo: one answer will do
        try:
            await self._take(sender, intent, is_too_much=verdict == "tell")
        except ChatMoved as moved:
            # It was written before the group became a supergroup: the answer goes where the group is by now.
            await self._follow(sender.chat_id, moved.chat_id)
            sender = replace(sender, chat_id=moved.chat_id, thread_id=None, message_id=None)
            await self._take(sender, intent, is_too_much=verdict == "tell")

    async def _take(self, sender: Sender, intent: Intent, *, is_too_much: bool) -> None:
        try:
            await self._handle(sender, intent, is_too_much=is_too_much)
        except MediaError as error:
            await self._answer(sender, error.code, **error.values)

    async def gathered(self, task: Task) -> None:
        """As `bot.worker.loop.Albums`."""
        if task.question in (EXTENDING, TAPPED_EXTENDING):
            await self._extend(task)
        else:
            await self._gathered(task)
        await self._albums.close(task)

    async def _gathered(self, task: Task) -> None:
        album = read_album(task)
        try:
            if len(album.photos) == 1:
                one = Intent("video" if album.is_wanted else "draft", album.words, album.photos[0])
                await (self._video if album.is_wanted else self._draft)(album.sender, one)
            else:
                settings = await self._preferences.of(task.chat_id)
                problem = await self._pairs.answer(album, settings, self._object)
                await self._refuse(album.sender, problem)
        except MediaError as error:
            await self._answer(album.sender, error.code, **error.values)

    async def _handle(self, sender: Sender, intent: Intent, *, is_too_much: bool) -> None:
        claims = intent.kind == "start" and self._access.is_claim(intent.words)
        if claims and sender.chat_id > 0 and await self._access.claim(intent.words, sender.user_id):
            await self._answer(sender, "claimed")
            await self._welcome(sender)
            return
        if not await self._access.may_ask(sender.user_id, sender.chat_id):
            await self._turn_away(sender, intent)
            return
        if is_too_much:
            await self._answer(sender, "too_much_at_once")
            return
        match intent.kind:
            case "start" if sender.chat_id > 0 and is_recipe(intent.words):
                await self._commands[RECIPE](sender, intent)
            case "start" if sender.chat_id > 0:
                await self._answer(sender, "claim_used" if claims else "start")
                await self._notices.read_out(sender)
                await self._welcome(sender)
            case "start":
                await self._commands["help"](sender, intent)
            case "command":
                await self._commands[intent.command](sender, intent)
            case "unknown":
                await self._answer(sender, "unknown_command")
            case "no_photo":
                await self._answer(sender, "not_a_photo_sent")
            case "video" | "photo" | "draft" | "answer":
                await self._wish(sender, intent)
            case "text":
                await self._text(sender, intent)

    async def _welcome(self, sender: Sender) -> None:
        chosen = (await self._preferences.of(sender.chat_id)).language
        await self._menu.welcome(sender.chat_id, chosen, sender.code)

    async def _wish(self, sender: Sender, intent: Intent) -> None:
        """A command or a photo: what it answers, what it adds to, or else what it asks for by itself."""
        is_command = intent.kind == "video"
        if not is_command and (task := await self._photo_question(sender, intent)):
            await self._complete(sender, task, intent)
        elif not is_command and (task := await self._pairs.awaited(sender, intent)):
            await self._refuse(sender, await self._pairs.add_last(sender, task, intent, self._object))
        elif intent.kind == "answer":
            return
        elif sender.album_id is not None and intent.photo is not None:
            await self._albums.begin(sender, intent.photo, intent)
        elif intent.kind == "draft":
            await self._draft(sender, intent)
        else:
            await self._video(sender, intent)

    async def _video(self, sender: Sender, intent: Intent) -> None:
        settings = await self._preferences.of(sender.chat_id)
        request, problems = self._reading.read(read_words(intent.words), intent.photo, settings=settings)
        if not problems:
            await self._refuse(sender, await self._orders.start(sender, request))
        elif {problem.code for problem in problems} == {"prompt_missing"}:
            await self._orders.ask(sender, request, "card_ask_words")
        elif {problem.code for problem in problems} == {"prompt_missing_with_photo"}:
            await self._orders.draft(sender, request, "card_ask_photo_words")
        else:
            await self._object(sender, request, problems, intent.photo)

    async def _draft(self, sender: Sender, intent: Intent) -> None:
        """A photo alone, or one that somebody else made: what should happen, and should it?"""
        settings = await self._preferences.of(sender.chat_id)
        request, problems = self._reading.read(read_words(intent.words), intent.photo, settings=settings)
        if [problem for problem in problems if problem.code != "prompt_missing_with_photo"]:
            await self._object(sender, request, problems, intent.photo)
        elif request.prompt:
            await self._orders.draft(sender, request, "card_draft")
        else:
            await self._orders.draft(
                sender, request, "card_ask_photo_words" if problems else "card_ask_photo"
            )

    async def _text(self, sender: Sender, intent: Intent) -> None:
        """An answer to a question of ours, the words for a photo, or in private a wish in plain words."""
        if sender.chat_id > 0 and await self._again.reword(sender, intent):
            return
        draft = await self._question(sender, intent, self._orders.awaits_words)
        if draft is not None and draft.question in ASKS_PHOTO:
            await self._answer(sender, "photo_wanted")
        elif draft is not None and draft.question == WHICH:
            await self._refuse(sender, await self._pairs.name(sender, draft, intent.words))
        elif draft is not None:
            await self._complete(sender, draft, intent)
        elif sender.chat_id > 0:
            settings = await self._preferences.of(sender.chat_id)
            request, problems = self._reading.read(read_words(intent.words), None, settings=settings)
            if problems:
                await self._object(sender, request, problems, None)
            else:
                await self._orders.draft(sender, request, "card_draft")

    async def _photo_question(self, sender: Sender, intent: Intent) -> Task | None:
        """The question that this photo answers."""
        task = await self._question(sender, intent, self._orders.awaits_photo)
        return task if task is not None and task.question in ASKS_PHOTO else None

    async def _question(self, sender: Sender, intent: Intent, awaits: Callable[[Task], bool]) -> Task | None:
        """The draft that a message replies to; in private else the newest, where it `awaits` such a one."""
        if intent.answers is not None:
            task = await self._tasks.find(card=(sender.chat_id, intent.answers))
            asked = task is not None and task.state is TaskState.DRAFT and task.question is not None
            if task is not None and asked and task.user_id == sender.user_id:
                return task
        if sender.chat_id < 0:
            return None
        drafts = await self._tasks.drafts(sender.chat_id, sender.user_id)
        # Who is offered another model may as well say it in other words.
        newest = next((draft for draft in drafts if draft.question != "card_switch"), None)
        if newest is not None and newest.is_collecting_album:
            newest = await self._hurry(newest)
        return newest if newest is not None and awaits(newest) else None

    async def _hurry(self, task: Task) -> Task | None:
        """What an album asks, where words for it came at once: nobody says more photos of one after that."""
        # Stale where the worker was quicker, and may be asking at this moment.
        with suppress(StaleTask):
            await self.gathered(await self._albums.claim(task))
        return await self._tasks.get(task.id)

    async def _complete(self, sender: Sender, task: Task, intent: Intent) -> None:
        """What was missing came: words, options, or a photo. The rest is as it was asked."""
        # Who was offered another model has not been given what is usual here: that depends on the model.
        settings = await self._preferences.of(sender.chat_id) if task.question == "card_switch" else None
        words = read_words(intent.words)
        request, problems = self._reading.read(words, intent.photo, task.request, settings)
        if problems:
            await self._object(sender, request, problems, intent.photo)
        else:
            await self._refuse(sender, await self._orders.answered(task, sender, request))

    async def _turn_away(self, sender: Sender, intent: Intent) -> None:
        if sender.chat_id < 0 and intent.kind == "text":
            return
        if await self._access_requests.handle(sender):
            key = "stranger_group" if sender.chat_id < 0 else "stranger"
            await self._answer(sender, key, user_id=sender.user_id, chat_id=sender.chat_id)

    async def _object(
        self, sender: Sender, request: VideoRequest, problems: Sequence[Problem], photo: SentPhoto | None
    ) -> None:
        """Say why it cannot work; where only the model is in the way, with buttons for others that can."""
        misread = problems[0].code.startswith(("unknown_flag", "flag_"))
        names = [] if misread else self._reading.others(request, photo)
        if names:
            await self._orders.offer(sender, request, problems[0], names)
        else:
            problem = problems[0]
            if problem.code == "flag_needs_value" and problem.values["flag"] == "model":
                # Words alone do not know which models are set up here.
                problem = Problem(problem.code, problem.values | {"example": f"--model {request.model}"})
            await self._refuse(sender, problem)

    async def _refuse(self, sender: Sender, problem: Problem | None) -> None:
        if problem is not None:
            await self._answer(sender, problem.code, **problem.values)

    async def _answer(self, sender: Sender, key: str, **values: object) -> None:
        await self._messenger.answer(sender, say(sender.language, key, **values))

    async def _sender(self, update_id: int, message: Message) -> Sender | None:
        sender = message.sender_chat or message.from_user
        if sender is None:
            return None
        person = message.from_user
        name = person.first_name if person and not message.sender_chat else (message.author_signature or "")
        code = person.language_code if person else None
        return Sender(
            update_id=update_id,
            chat_id=message.chat_id,
            thread_id=message.message_thread_id if message.is_topic_message else None,
            user_id=sender.id,
            user_name=name,
            message_id=message.message_id,
            language=await self._preferences.language_for(message.chat_id, code, sender.id),
            sent_at=message.date,
            album_id=message.media_group_id,
            chat_title=message.chat.title or "",
            code=code,
        )
