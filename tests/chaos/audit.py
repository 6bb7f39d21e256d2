"""The books: requests, jobs, videos and messages, and what must balance when all is over. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from running import BOT, says

from bot.sandbox import Json

ASKED = "submit_unknown"
"""The one failure that is fair here: an order of unknown end, about which its person is asked."""
_ON_THEIR_WAY = ("queued", "submitting", "running")
_ASIDES = ("card_ready", "card_failed", "card_ready_named", "card_failed_named", "card_offer")


@dataclass(frozen=True)
class Entry:
    """What the bot's store knows of one request."""

    prompt: str
    state: str
    remote_id: str | None
    error_code: str | None
    chat_id: int
    card_id: int | None
    closed: bool
    offered: bool
    """Sent as a new message whose arrival nobody knows: its person has a button."""


@dataclass(frozen=True)
class Audit:
    """Everything that can be counted, once nothing is on its way any more.

    `requests` are the prompts that people sent, none like the beginning of another. `jobs` are those that
    the provider took, as prompt and id: what it charges for. `lost_cards` are prompts whose card was taken
    away, refused or left behind; `doubtful_sends` those whose card may have been sent in vain, by a crash or
    a lost answer; a kill counts for every prompt. `parked` are updates that are neither handled nor waiting.
    """

    requests: Sequence[str]
    entries: Sequence[Entry]
    parked: Sequence[int]
    jobs: Sequence[tuple[str, str]]
    messages: Sequence[Json]
    kills: int = 0
    lost_cards: Collection[str] = frozenset()
    doubtful_sends: Mapping[str, int] = field(default_factory=dict)
    moves: Mapping[int, int] = field(default_factory=dict)
    """Groups that have become supergroups: the old id, and the new one."""
    complaints: Sequence[str] = ()
    finished: bool = True
    """Whether the jobs have come to their ends; else nothing is asked of those under way."""

    def audit(self) -> list[str]:
        """What does not balance, a sentence each; empty where all is well."""
        return [
            *self.complaints,
            *self._requests(),
            *(wrong for entry in self.entries for wrong in (*self._job(entry), *self._outcome(entry))),
            *self._messages(),
        ]

    def _requests(self) -> Iterator[str]:
        """Nothing asked is lost, and nothing is there that was not asked."""
        counted = Counter(entry.prompt for entry in self.entries)
        for prompt in self.requests:
            if counted[prompt] != 1:
                yield f"{prompt}: in the database {counted[prompt]} times"
        for prompt in counted.keys() - set(self.requests):
            yield f"{prompt}: in the database, and nobody asked for it"
        for update_id in self.parked:
            yield f"update {update_id} was given up"

    def _job(self, entry: Entry) -> Iterator[str]:
        """Nothing is paid twice, and what is unclear is asked about."""
        jobs = [remote_id for prompt, remote_id in self.jobs if prompt == entry.prompt]
        if len(jobs) > 1:
            yield f"{entry.prompt}: paid {len(jobs)} times"
        if entry.remote_id is None:
            if jobs and entry.error_code != ASKED:
                yield f"{entry.prompt}: paid, and the bot does not know ({entry.state}, {entry.error_code})"
        elif entry.remote_id not in jobs:
            yield f"{entry.prompt}: its job {entry.remote_id} is not its own at the provider"

    def _outcome(self, entry: Entry) -> Iterator[str]:
        """Every finished video is shown exactly once; whoever gets none reads an honest question."""
        if not entry.closed:
            if self.finished or entry.state not in _ON_THEIR_WAY:
                yield f"{entry.prompt}: never closed ({entry.state})"
            elif entry.prompt not in self.lost_cards and not any(
                one["message_id"] == entry.card_id for one in self._in(entry.chat_id)
            ):
                yield f"{entry.prompt}: not answered"
            return
        videos = [one for one in self.messages if _is_video(one) and _is_about(one, entry.prompt)]
        if entry.state == "succeeded":
            yield from self._shown(entry, videos)
        elif (entry.state, entry.error_code) != ("failed", ASKED):
            yield f"{entry.prompt}: ended as {entry.state}, {entry.error_code}"
        elif videos:
            yield f"{entry.prompt}: said to be unclear, and shown"
        elif not self._is_told(entry, says(ASKED)):
            yield f"{entry.prompt}: its person was not asked"

    def _shown(self, entry: Entry, videos: Sequence[Json]) -> Iterator[str]:
        if any(self._now(one["chat"]["id"]) != entry.chat_id for one in videos):
            yield f"{entry.prompt}: shown in another chat"
        if entry.offered:
            if len(videos) > 1:
                yield f"{entry.prompt}: sent {len(videos)} times"
            if not any(says("card_offer") == one.get("text") for one in self._in(entry.chat_id)):
                yield f"{entry.prompt}: perhaps sent, and its person was not told"
            return
        if len(videos) != 1:
            yield f"{entry.prompt}: shown {len(videos)} times"
        if entry.card_id is None and entry.prompt not in self.lost_cards:
            yield f"{entry.prompt}: its card was left for no reason"
        if entry.card_id is not None and entry.card_id not in [one["message_id"] for one in videos]:
            yield f"{entry.prompt}: shown beside its card"

    def _is_told(self, entry: Entry, words: str) -> bool:
        return any(
            words in one.get("text", "") and _is_about(one, entry.prompt) for one in self._in(entry.chat_id)
        )

    def _in(self, chat_id: int) -> list[Json]:
        """What was said there, and in the group that it was before."""
        return [one for one in self.messages if self._now(one["chat"]["id"]) == chat_id]

    def _now(self, chat_id: int) -> int:
        return self.moves.get(chat_id, chat_id)

    def _messages(self) -> Iterator[str]:
        """What else stands in the chats has a reason."""
        cards = {(entry.chat_id, entry.card_id) for entry in self.entries}
        left = Counter[str]()
        for one in self.messages:
            if _is_video(one) or (one["chat"]["id"], one["message_id"]) in cards or _is_aside(one):
                continue
            about = [prompt for prompt in self.requests if _is_about(one, prompt)]
            if not about:
                yield f"a message that nobody can explain: {one.get('text', one)!r}"
            elif says(ASKED) not in one["text"]:  # else it is an answer in place of a lost card
                left[about[0]] += 1
        for prompt, count in left.items():
            fair = self.kills + self.doubtful_sends.get(prompt, 0) + (prompt in self.lost_cards)
            if count > fair:
                yield f"{prompt}: {count} cards that nobody looks after, {fair} can be explained"


def entry_of(row: Mapping[str, Any]) -> Entry:
    """A row of the table `tasks`, of whatever store."""
    request = row["request"]
    fields = json.loads(request) if isinstance(request, str) else request
    return Entry(
        prompt=fields.get("prompt", ""),
        state=row["state"],
        remote_id=row["remote_id"],
        error_code=row["error_code"],
        chat_id=row["chat_id"],
        card_id=row["card_id"],
        closed=row["delivered_at"] is not None,
        offered=bool(row["detached"]) and row["sending_at"] is not None,
    )


def _is_video(message: Json) -> bool:
    return "video" in message or "animation" in message


def _is_about(message: Json, prompt: str) -> bool:
    return prompt in str(message.get("caption") or message.get("text") or "")


def _is_aside(message: Json) -> bool:
    text = str(message.get("text", ""))
    # An upgraded group may look like a new one for a while, and is greeted then.
    is_greeting = text.startswith(says("group_words", bot=BOT))
    is_introduction = text.startswith(says("photo_goes_to", company="\0").partition("\0")[0])
    return is_greeting or is_introduction or any(text.endswith(says(key, name="")) for key in _ASIDES)
