"""Companies: who receives somebody's photo. Each is named once, before the first photo goes there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.request import VideoModel, VideoRequest
from bot.store import PeopleStore
from bot.text import say


class PhotoDisclosure:
    def __init__(self, people: PeopleStore, messenger: Messenger, models: Mapping[str, VideoModel]) -> None:
        self._people = people
        self._messenger = messenger
        self._models = models

    async def announce(self, sender: Sender, request: VideoRequest) -> None:
        """Name who makes `request`, where that company gets its first photo of this person by it."""
        model = self._models.get(request.model)
        if model is None or not model.company or not request.photos:
            return
        if model.company in (await self._people.person(sender.user_id)).companies:
            return
        # Said, then noted: a crash between the two says it twice, and never not at all.
        await self._messenger.answer(sender, say(sender.language, "photo_goes_to", company=model.company))
        person = await self._people.person(sender.user_id)
        await self._people.put_person(replace(person, companies=person.companies | {model.company}))
