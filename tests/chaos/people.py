"""What people do in a run: write, send photos and albums, answer, press buttons, and block the bot."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from pictures import photo
from running import BOT, BotHarness, buttons, says

from bot.sandbox import Chat, Json, Person
from bot.sandbox.groups import Where
from chaos.audit import ASKED, Press, is_offer, is_shared_link

_OLD_S = 3600
"""Whoever wrote so long ago is asked first."""
_OTHERS = ("geekai-jimeng", "relay-jimeng", "unified-jimeng", "veo-3.1-fast", "ark-seedance-2.0")
"""One of each account. Every other order leaves it to the bot, which takes Volcengine."""
_SHARES = {
    **{"cancel": 0.06, "generate": 0.3, "dismiss": 0.05, "again": 0.02, "words": 0.01},
    **{"details": 0.02, "extend": 0.03, "join": 0.2, "fetch": 1.0},
    **{"share": 0.03, "share-photo": 0.3, "send": 0.5},
}
"""How often each button is pressed each time that somebody looks."""
_TWICE = 0.3
_SEEN = 5  # messages at the end of a chat
_AT_ONCE = 40  # people
_PAUSE_S = 0.4
_PATIENCE_S = 6.0
"""Before the same draft is pressed again: a press may have gone nowhere."""


@dataclass
class Place:
    """A person in a chat with the bot, perhaps in a topic."""

    person: Person
    chat: Chat
    thread_id: int | None = None


class People:
    """`prompts` are theirs, none like the beginning of another: first the orders, then what they answered."""

    def __init__(self, rng: random.Random, stage: BotHarness, orders: int, *, press: bool) -> None:
        self._rng = rng
        self._stage = stage
        self._world = stage.world
        self._press = press
        self.prompts = [f"wish number {number:04}." for number in range(orders)]
        self.orders = orders
        self.places = list(self._open_places())
        self.presses: list[Press] = []
        self.blocked: set[int] = set()
        self.lost_cards: set[str] = set()
        self._answered: set[tuple[int, int]] = set()
        self._pressed_at: dict[tuple[int, int], float] = {}

    def _open_places(self) -> Iterator[Place]:
        """Private chats, groups, and topics of groups; nobody writes so much that it is a flood."""
        for number in range(1 + self.orders // 4):
            person, chat = self._stage.newcomer(f"Person {number}")
            if number % 5 == 4:
                is_forum = self._press and number % 10 == 9
                chat = self._world.add_group(f"Group {number}", [person], forum=is_forum)
                yield Place(person, chat, self._world.add_topic(person, chat, "Films") if is_forum else None)
            else:
                yield Place(person, chat)

    def ask(self, prompt: str) -> None:
        number = self.prompts.index(prompt)
        place = self._open(number)
        model = _OTHERS[number // 2 % len(_OTHERS)] if self._press and number % 2 else None
        words = f"/video@{BOT} {prompt}" + (f" --model {model}" if model else "")
        way = number % 13 if self._press else 0
        words += " --count 2" if way == 3 else ""
        where: Where = {"thread_id": place.thread_id}
        takes_photo = model not in {"relay-jimeng", "unified-jimeng"}
        if way == 5 and takes_photo:
            self._world.send_photo(place.person, place.chat, photo(1280, 720), caption=words, **where)
        elif way == 8 and takes_photo:
            pictures = [photo(1280, 720), photo(1280, 720, "PNG")]
            self._world.send_album(place.person, place.chat, pictures, caption=words, **where)
        elif way == 11:
            where["date"] = int(time.time()) - _OLD_S
            self._world.say(place.person, place.chat, words, **where)
        else:
            self._world.say(place.person, place.chat, words, **where)

    def _open(self, number: int) -> Place:
        """Whoever has blocked the bot does not write to it."""
        open_ones = [place for place in self.places if place.chat.id not in self.blocked]
        return open_ones[number % len(open_ones)]

    async def press_on(self) -> None:
        """Answer and press, a few people at a time, until cancelled."""
        while self._press:
            for place in self._rng.sample(self.places, min(len(self.places), _AT_ONCE)):
                self._answer(place)
                for message in self._world.bot_messages(place.chat)[-_SEEN:]:
                    self._press_some(place, message)
            await asyncio.sleep(_PAUSE_S)

    def meddle(self) -> None:
        """Now and then take a card away, make a supergroup of a group, block the bot."""
        if self._rng.random() < 0.5:
            self._take_away(self._rng.choice(self.places))
        groups = [place for place in self.places if place.chat.type == "group"]
        if groups and self._rng.random() < 0.3:
            self._upgrade(self._rng.choice(groups))
        if self._press and self._rng.random() < 0.1 and len(self.blocked) < len(self.places) // 10:
            place = self._rng.choice(self.places)
            if place.chat.type == "private" and not place.chat.blocked:
                self._world.block(place.person)
                self.blocked.add(place.chat.id)

    def answer_all(self) -> None:
        """In the end every draft is ordered, and every question answered."""
        for place in self.places:
            self._answer(place)
            for message in self._world.bot_messages(place.chat):
                key = (place.chat.id, message["message_id"])
                choices = _open_choices(message)
                if not choices and _buttons(message, {"dismiss"}):
                    # In a group that has moved, a question stands on a card: its message stayed behind.
                    self._reply(place, message)
                for data in choices:
                    if is_offer(message) and key in self._pressed_at:
                        continue  # its button stays
                    if time.monotonic() - self._pressed_at.get(key, 0) > _PATIENCE_S:
                        self._do_press(place, message, data)

    def _answer(self, place: Place) -> None:
        for message in self._world.bot_messages(place.chat):
            if "force_reply" in message.get("reply_markup", {}):
                self._reply(place, message)

    def _reply(self, place: Place, message: Json) -> None:
        key = (place.chat.id, message["message_id"])
        if key not in self._answered and place.chat.id not in self.blocked:
            self._answered.add(key)
            self.prompts.append(f"wish number {len(self.prompts):04}.")
            self._world.say(place.person, place.chat, self.prompts[-1], reply_to=message)

    def _press_some(self, place: Place, message: Json) -> None:
        for data in _buttons(message, _SHARES):
            if self._rng.random() < _SHARES[data.partition(":")[0]]:
                for _ in range(2 if self._rng.random() < _TWICE else 1):
                    self._do_press(place, message, data)

    def _do_press(self, place: Place, message: Json, data: str) -> None:
        if place.chat.id in self.blocked:
            return
        self._pressed_at[place.chat.id, message["message_id"]] = time.monotonic()
        verb, _, about = data.partition(":")
        query_id = self._world.press(place.person, message, data)
        update_id = self._world.updates.history[-1]["update_id"]
        task_id = about.partition(":")[0]
        self.presses.append(Press(update_id, query_id, verb, task_id, place.person.id, place.chat.id))
        if verb == "fetch":
            self._stage.provider.withheld.clear()

    def _take_away(self, place: Place) -> None:
        """The newest message of a bot, unless it asks something."""
        for message in self._world.bot_messages(place.chat)[-1:]:
            is_question = _buttons(message, {"dismiss"}) or "force_reply" in message.get("reply_markup", {})
            is_kept = is_question or is_shared_link(message) or is_offer(message)
            if "text" in message and not is_kept and says(ASKED) not in message["text"]:
                self.lost_cards.update(one for one in self.prompts if one in message["text"])
                self._world.remove(place.chat, message["message_id"])

    def _upgrade(self, place: Place) -> None:
        said = str(self._world.messages(place.chat))
        self.lost_cards.update(one for one in self.prompts if one in said)
        place.chat = self._world.upgrade_group(place.person, place.chat)


def toasts_of(stage: BotHarness) -> Callable[[str], str | None]:
    """What was said to each press, by the id of its query; None for one that was not answered."""
    calls = stage.server.calls_of("answerCallbackQuery")
    # A process may die in the middle of a call.
    told = {call.params.get("callback_query_id"): str(call.params.get("text", "")) for call in calls}
    return told.get


def _open_choices(message: Json) -> list[str]:
    """What goes on with a draft, whose card can be dismissed too, or with a video that was not fetched or is
    offered again."""
    is_draft = bool(_buttons(message, {"dismiss"}))
    if not is_draft:
        return _buttons(message, {"fetch", "send"})[:1]
    return [*_buttons(message, {"generate", "with", "fetch"}), *_buttons(message, {"which"})][:1]


def _buttons(message: Json, verbs: Container[str]) -> list[str]:
    return [data for data in buttons(message).values() if data.partition(":")[0] in verbs]
