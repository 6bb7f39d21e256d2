"""The books: requests, presses, jobs, videos, messages and the bill, and what must balance when all is over.
Pure."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from provider_server import Job
from running import BOT, says

from bot.sandbox import Json

ASKED = "submit_unknown"
"""The one failure that is fair here: an order of unknown end, about which its person is asked."""
_ON_THEIR_WAY = ("queued", "submitting", "running")
_ASIDES = ("card_ready", "card_failed", "card_ready_named", "card_failed_named", "card_offer")
_REFUSALS = ("press_on_its_way", "press_too_late", "press_gone", "press_too_fast")
_CANCELLED = ("cancelled", "press_stopped", "press_stopped_unclear")
_OTHER_CARD = re.compile(r"\d of \d · ")
"""How the cards of all but the first of several videos begin."""
_STOPPED = ("cancelled", "card_stopped", "card_stopped_unclear", "dismissed")


@dataclass(frozen=True)
class Press:
    """A button that somebody pressed; `task_id` and `verb` are what it said."""

    update_id: int
    query_id: str
    verb: str
    task_id: str
    person_id: int
    chat_id: int


@dataclass(frozen=True)
class Entry:
    """What the bot's store knows of one request."""

    id: str
    update_id: int
    prompt: str
    state: str
    question: str | None
    remote_id: str | None
    error_code: str | None
    chat_id: int
    thread_id: int | None
    card_id: int | None
    closed: bool
    offered: bool
    """Sent as a new message whose arrival nobody knows: its person has a button."""
    cancelled_by: int | None
    joined: bool
    """A film that the bot joined of two videos: nobody ordered it at a provider."""
    batch_id: str | None = None
    """The first of several that were ordered at once."""
    batch_size: int = 1

    @property
    def is_sibling(self) -> bool:
        """Whether it was ordered at once with another one, which stands for the update."""
        return self.batch_id not in (None, self.id)

    @property
    def is_dropped(self) -> bool:
        """Whether it was no order yet: a draft that was dismissed or forgotten, or an album taken up."""
        return self.state == "cancelled" and self.error_code in ("dismissed", "draft_expired")

    @property
    def is_cancelled(self) -> bool:
        return self.state == "cancelled" or self.cancelled_by is not None


@dataclass(frozen=True)
class Audit:
    """Everything that can be counted, once nothing is on its way any more.

    `requests` are the prompts that people sent, none like the beginning of another; `answers` those with
    which they answered questions. `jobs` are those that the providers took: what they charge for, unless a
    job was stopped. `bill` are the rows that the bot prints to compare. `sent` are all updates by their ids.
    `lost_cards` are prompts whose card was taken away, refused or left behind, `refused_edits` those of whose
    card an edit was refused; `doubtful_sends` those whose card may have been sent in vain, by a crash or a
    lost answer; a kill counts for every prompt. `parked` are updates that are neither handled nor waiting.
    `blocked` are chats in which the bot was blocked.
    """

    requests: Sequence[str]
    entries: Sequence[Entry]
    parked: Sequence[int]
    jobs: Sequence[Job]
    messages: Sequence[Json]
    bill: Sequence[Mapping[str, str]] = ()
    answers: Sequence[str] = ()
    presses: Sequence[Press] = ()
    toast_of: Callable[[str], str | None] = lambda _query_id: None
    sent: Mapping[int, Json] = field(default_factory=dict)
    blocked: Collection[int] = frozenset()
    kills: int = 0
    lost_cards: Collection[str] = frozenset()
    refused_edits: Collection[str] = frozenset()
    doubtful_sends: Mapping[str, int] = field(default_factory=dict)
    moves: Mapping[int, int] = field(default_factory=dict)
    """Groups that have become supergroups: the old id, and the new one."""
    complaints: Sequence[str] = ()
    finished: bool = True
    """Whether the jobs have come to their ends; else nothing is asked of those under way."""

    def audit(self) -> list[str]:
        """What does not balance, a sentence each; empty where all is well."""
        orders: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if not entry.is_dropped and not entry.joined:
                orders[entry.prompt].append(entry)
        return [
            *self.complaints,
            *self._requests(orders),
            *(wrong for entry in self.entries for wrong in (*self._cause(entry), *self._outcome(entry))),
            *(wrong for prompt, entries in orders.items() for wrong in self._shown(prompt, entries)),
            *self._jobs(orders),
            *self._bill(),
            *self._presses(),
            *self._messages(),
        ]

    def _requests(self, orders: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
        """Nothing asked is lost, and nothing is there that was not asked."""
        first = Counter(one.prompt for one in self.entries if "message" in self.sent.get(one.update_id, {}))
        unheard = [self._text(one) for one in self.sent.values() if self._chat(one) in self.blocked]
        for prompt in self.requests:
            may_be_lost = any(prompt in text for text in unheard)
            if first[prompt] != 1 and not (may_be_lost and first[prompt] == 0):
                yield f"{prompt}: in the database {first[prompt]} times"
        for prompt in orders.keys() - {*self.requests, *self.answers}:
            yield f"{prompt}: in the database, and nobody asked for it"
        for update_id in self.parked:
            yield f"update {update_id} was given up"
        for update_id, count in Counter(one.update_id for one in self.entries if not one.is_sibling).items():
            if count > 1:
                yield f"update {update_id} made {count} tasks"
        batches = Counter(one.batch_id for one in self.entries if one.batch_id)
        for entry in self.entries:
            if entry.batch_id and batches[entry.batch_id] != entry.batch_size:
                yield f"{entry.prompt}: {batches[entry.batch_id]} of {entry.batch_size} are there"

    def _cause(self, entry: Entry) -> Iterator[str]:
        """An order comes from a message with its words, or from a button that asks for one."""
        update = self.sent.get(entry.update_id, {})
        asked = entry.prompt in self._text(update) if "message" in update else "callback_query" in update
        if not asked and not entry.is_sibling:
            yield f"{entry.prompt}: made by update {entry.update_id}, which did not ask for it"
        if entry.cancelled_by is not None and not any(
            (one.verb, one.task_id, one.person_id) == ("cancel", entry.id, entry.cancelled_by)
            for one in self.presses
        ):
            yield f"{entry.prompt}: cancelled, and nobody pressed that"

    def _jobs(self, orders: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
        """Each order is paid at most once, and what is unclear is asked about."""
        paid = {job.task_id: job.prompt for job in self.jobs}
        known = self._known
        for remote_id, entry in known.items():
            if paid.get(remote_id) != entry.prompt:
                yield f"{entry.prompt}: its job {remote_id} is not its own at the provider"
        unknown = Counter(prompt for task_id, prompt in paid.items() if task_id not in known)
        for prompt, count in unknown.items():
            asked = sum(one.error_code == ASKED and one.remote_id is None for one in orders.get(prompt, ()))
            if count > asked:
                yield f"{prompt}: paid {count} times, and the bot knows of {asked} of them"

    @cached_property
    def _known(self) -> Mapping[str, Entry]:
        """The requests whose jobs the bot knows, by the ids that the providers print."""
        paid = {job.task_id for job in self.jobs}
        # Before an id of Volcengine stands the product, if a model has several.
        return {
            one.remote_id if one.remote_id in paid else one.remote_id.rpartition(":")[2]: one
            for one in self.entries
            if one.remote_id is not None
        }

    def _bill(self) -> Iterator[str]:
        """What the bot would check a bill with has a row for each job that it knows, one that says perhaps
        for each that it does not, and tells what became of it."""
        charged = Counter(row["remote_id"] for row in self.bill if row["charged"] != "no")
        perhaps = sum(row["charged"] == "perhaps" and not row["remote_id"] for row in self.bill)
        stopped = {job.task_id for job in self.jobs if job.stopped}
        unknown = 0
        for job in self.jobs:
            if job.task_id not in self._known:
                unknown += not job.stopped
            elif not job.stopped and charged[job.task_id] != 1:
                yield f"{self._known[job.task_id].prompt}: {charged[job.task_id]} times on the bill"
        if unknown > perhaps:
            yield f"{unknown} jobs are not known, and {perhaps} are unclear on the bill"
        for task_id in stopped & charged.keys():
            yield f"{task_id}: stopped, and on the bill"
        cancelled = {one.id for one in self.entries if one.is_cancelled}
        for row in self.bill:
            if row["charged"] != "no" and (row["outcome"] == "cancelled") != (row["task"] in cancelled):
                yield f"task {row['task']}: on the bill as {row['outcome']}"

    def _presses(self) -> Iterator[str]:
        """What a press said to have done is done; what it asked for is done once, or refused in words."""
        entries = {entry.id: entry for entry in self.entries}
        children = Counter(entry.update_id for entry in self.entries)
        cancelled, refused = {says(key) for key in _CANCELLED}, {says(key) for key in _REFUSALS}
        bought: dict[str, list[bool]] = defaultdict(list)
        for press in self.presses:
            toast, entry = self.toast_of(press.query_id), entries.get(press.task_id)
            if toast is None:
                yield f"{press.verb} of {press.task_id}: not answered"
            if entry is None or self._now(press.chat_id) in self.blocked:
                continue
            if press.verb == "cancel" and toast in cancelled and not entry.is_cancelled:
                yield f"{entry.prompt}: cancelled, as was said, and {entry.state}"
            if press.verb == "dismiss" and toast == says("dismissed") and not entry.is_dropped:
                yield f"{entry.prompt}: dismissed, as was said, and {entry.state}"
            if press.verb == "again" and entry.state in ("succeeded", "failed"):
                said = [one.get("text") for one in self._in(self._now(press.chat_id))]
                was_refused = toast in refused or any(text in refused for text in said)
                bought[entry.id].append(bool(children[press.update_id]) or was_refused)
        for task_id, done in bought.items():
            if not any(done):
                yield f"{entries[task_id].prompt}: wanted again, and nothing came of it"

    def _outcome(self, entry: Entry) -> Iterator[str]:
        """Everything comes to one end, and whoever gets no video reads why."""
        if not entry.closed:
            if self.finished or entry.state not in _ON_THEIR_WAY:
                yield f"{entry.prompt or entry.id}: never closed ({entry.question or entry.state})"
            elif entry.prompt not in self.lost_cards and self._card(entry) is None and not entry.is_sibling:
                yield f"{entry.prompt}: not answered"
        elif entry.chat_id in self.blocked:
            return
        elif entry.is_cancelled:
            card = self._card(entry)
            ends = [says(key) for key in _STOPPED]
            is_refused = entry.prompt in self.refused_edits
            if card is not None and not is_refused and not any(end in _words(card) for end in ends):
                yield f"{entry.prompt}: cancelled, and its card says {_words(card)!r}"
        elif (entry.state, entry.error_code) == ("failed", ASKED):
            if not self._is_told(entry, says(ASKED)):
                yield f"{entry.prompt}: its person was not asked"
        elif entry.state != "succeeded":
            yield f"{entry.prompt}: ended as {entry.state}, {entry.error_code}"

    def _shown(self, prompt: str, entries: Sequence[Entry]) -> Iterator[str]:
        """Every finished video that somebody waits for is shown exactly once, and no other."""
        videos = [
            one
            for one in self.messages
            if _is_video(one)
            and not _fits(_words(one), "caption_joined", time="\0")
            and prompt
            and _is_about(one, prompt)
        ]
        made = [one for one in entries if one.state == "succeeded" and not one.is_cancelled and one.closed]
        due = [one for one in made if one.chat_id not in self.blocked]
        sure = [one for one in due if not one.offered]
        resent = [one for one in made if one.id in self._resent]
        again = sum(self._resent[one.id] for one in resent)
        if not len(sure) <= len(videos) <= len(made) + again:
            yield f"{prompt}: made {len(made)} times, and shown {len(videos)} times"
        places = {(one.chat_id, one.thread_id) for one in entries}
        if any((self._now(one["chat"]["id"]), _topic(one)) not in places for one in videos):
            yield f"{prompt}: shown in another chat"
        for entry in due:
            if entry.offered and not any(map(is_offer, self._in(entry.chat_id))):
                yield f"{prompt}: perhaps sent, and its person was not told"
            may_lack_card = entry.offered or entry.is_sibling or prompt in self.lost_cards or entry in resent
            if entry.card_id is None and not may_lack_card:
                yield f"{prompt}: its card was left for no reason"
            if entry.card_id is not None and entry.card_id not in [one["message_id"] for one in videos]:
                yield f"{prompt}: shown beside its card"

    def _card(self, entry: Entry) -> Json | None:
        # The group that it was before has messages of the same ids.
        place = (entry.chat_id, entry.card_id)
        told = self._in(entry.chat_id)
        return next((one for one in told if (one["chat"]["id"], one["message_id"]) == place), None)

    def _is_told(self, entry: Entry, words: str) -> bool:
        return any(words in _words(one) and _is_about(one, entry.prompt) for one in self._in(entry.chat_id))

    def _in(self, chat_id: int) -> Sequence[Json]:
        return self._told[chat_id]

    def _now(self, chat_id: int) -> int:
        return self.moves.get(chat_id, chat_id)

    def _chat(self, update: Json) -> int:
        return int(update.get("message", {}).get("chat", {}).get("id", 0))

    def _text(self, update: Json) -> str:
        """The words of a message; an album's stand with one of its photos."""
        message = update.get("message", {})
        if album := message.get("media_group_id"):
            return self._captions[album]
        return _words(message)

    @cached_property
    def _resent(self) -> Counter[str]:
        """How often somebody had a video sent again that was offered, by the id of its task."""
        return Counter(
            one.task_id
            for one in self.presses
            if one.verb == "send" and self.toast_of(one.query_id) == says("press_done")
        )

    @cached_property
    def _captions(self) -> Mapping[str, str]:
        found: dict[str, str] = defaultdict(str)
        for update in self.sent.values():
            message = update.get("message", {})
            found[message.get("media_group_id", "")] += _words(message)
        return found

    @cached_property
    def _told(self) -> Mapping[int, Sequence[Json]]:
        """What the bot said in each chat, and in the group that it was before."""
        found: dict[int, list[Json]] = defaultdict(list)
        for one in self.messages:
            found[self._now(one["chat"]["id"])].append(one)
        return found

    def _messages(self) -> Iterator[str]:
        """What else stands in the chats has a reason."""
        cards = {(entry.chat_id, entry.card_id) for entry in self.entries}
        left, films, links, others = Counter[str](), Counter[int](), Counter[int](), 0
        details, pressed = Counter[str](), Counter((one.verb, one.task_id) for one in self.presses)
        for one in self.messages:
            if _is_video(one) and _fits(_words(one), "caption_joined", time="\0"):
                films[one["chat"]["id"]] += 1
            elif is_shared_link(one):
                links[self._now(one["chat"]["id"])] += 1
            elif _is_video(one) or (one["chat"]["id"], one["message_id"]) in cards or _is_aside(one):
                continue
            elif _OTHER_CARD.match(_words(one)):
                others += 1
            elif task_id := next((entry.id for entry in self.entries if entry.id in _words(one)), None):
                details[task_id] += 1
            elif not (
                about := [prompt for prompt in (*self.requests, *self.answers) if _is_about(one, prompt)]
            ):
                yield f"a message that nobody can explain: {one.get('text', one)!r}"
            elif says(ASKED) not in _words(one):  # else it is an answer in place of a lost card
                left[about[0]] += 1
        for prompt, count in left.items():
            fair = self.kills + self.doubtful_sends.get(prompt, 0) + (prompt in self.lost_cards)
            if count > fair:
                yield f"{prompt}: {count} cards that nobody looks after, {fair} can be explained"
        # They do not say whose they are: a kill or a lost answer may have left them behind.
        if others > (fair := self.kills + sum(self.doubtful_sends.values()) + len(self.lost_cards)):
            yield f"{others} cards of siblings that nobody looks after, {fair} can be explained"
        for task_id, count in details.items():
            if count > pressed["details", task_id] + self.kills:
                yield f"task {task_id}: its details were sent {count} times"
        refused = {says(key) for key in _REFUSALS}
        shares = [one for one in self.presses if one.verb == "share"]
        shared = Counter(self._now(one.chat_id) for one in shares)
        heard = {self._now(one.chat_id) for one in shares if self.toast_of(one.query_id) not in refused}
        for chat_id in links.keys() | shared.keys():
            least = chat_id in heard and chat_id not in self.blocked
            if not least <= links[chat_id] <= shared[chat_id] + self.kills:
                yield f"chat {chat_id}: {links[chat_id]} links to recipes, {shared[chat_id]} were wanted"
        joined = Counter(self._now(one.chat_id) for one in self.presses if one.verb == "join")
        for chat_id, count in films.items():
            if count > joined[self._now(chat_id)]:
                yield f"chat {chat_id}: {count} joined films, {joined[self._now(chat_id)]} were wanted"


def entry_of(row: Mapping[str, Any]) -> Entry:
    """A row of the table `tasks`, of whatever store."""
    request = row["request"]
    fields = json.loads(request) if isinstance(request, str) else request
    return Entry(
        id=row["id"],
        update_id=row["update_id"],
        prompt=fields.get("prompt", ""),
        state=row["state"],
        question=row["question"],
        remote_id=row["remote_id"],
        error_code=row["error_code"],
        chat_id=row["chat_id"],
        thread_id=row["thread_id"],
        card_id=row["card_id"],
        closed=row["delivered_at"] is not None,
        offered=bool(row["detached"]) and row["sending_at"] is not None,
        cancelled_by=row["cancelled_by"],
        joined=row["state"] == "succeeded" and row["video_url"] == "",
        batch_id=row["batch_id"],
        batch_size=row["batch_size"],
    )


def _words(message: Json) -> str:
    return str(message.get("caption") or message.get("text") or "")


def _topic(message: Json) -> int | None:
    return message["message_thread_id"] if message.get("is_topic_message") else None


def _is_video(message: Json) -> bool:
    return "video" in message or "animation" in message


def _is_about(message: Json, prompt: str) -> bool:
    return prompt in _words(message)


def is_offer(message: Json) -> bool:
    """Return True if it offers a video again that perhaps did not arrive."""
    return says("card_offer") == _words(message)


def is_shared_link(message: Json) -> bool:
    return _fits(_words(message), "recipe_link", link="\0")


def _is_aside(message: Json) -> bool:
    text = _words(message)
    # A press on a card that nobody looks after turns it into its answer.
    # An upgraded group may look like a new one for a while, and is greeted then.
    is_greeting = text.startswith(says("group_words", bot=BOT))
    is_question = "force_reply" in message.get("reply_markup", {})
    asides = (*_REFUSALS, *_STOPPED, "join_failed")
    is_refusal = text in {says("press_details_closed", bot=BOT), *map(says, asides)} or _fits(
        text, "extend_by_other", chosen="\0", model="\0"
    )
    is_news = any(text.endswith(says(key, name="")) for key in _ASIDES)
    return is_greeting or is_question or is_refusal or is_news


def _fits(text: str, key: str, **unknown: str) -> bool:
    """Whether a text is a phrase with anything in the place of `unknown`, whose values are NUL."""
    return all(part in text for part in says(key, **unknown).split("\0"))
