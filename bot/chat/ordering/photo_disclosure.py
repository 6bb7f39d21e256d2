"""Photo disclosure: who receives their photo is said once to each person, before the first one goes there.

It stands on a draft: a first photo for a company is never ordered without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.request import VideoModel, VideoRequest
from bot.store import PeopleStore
from bot.task import Task, TaskState
from bot.text import say


class PhotoDisclosure:
    def __init__(self, people: PeopleStore, models: Mapping[str, VideoModel]) -> None:
        self._people = people
        self._models = models

    async def before(self, task: Task) -> str:
        """Return who gets the photo of a draft, if its person has not said yes to that so far; as HTML."""
        if task.state is not TaskState.DRAFT:
            return ""
        company = await self.due(task.user_id, task.request)
        key = "frame_goes_to" if task.request.extends else "photo_goes_to"
        return say(task.language, key, company=company) if company else ""

    async def due(self, user_id: int, request: VideoRequest) -> str:
        """Return the company that would get its first photo of this person; empty if none would."""
        model = self._models.get(request.model)
        if model is None or not model.company or not request.photos:
            return ""
        return "" if model.company in (await self._people.person(user_id)).companies else model.company

    async def agreed(self, user_id: int, request: VideoRequest) -> None:
        """Note that the person ordered from a draft that told it."""
        if company := await self.due(user_id, request):
            person = await self._people.person(user_id)
            await self._people.put_person(replace(person, companies=person.companies | {company}))
