"""Chaos with films: kills and faults while people make films, then an audit of every shot and every film.

`CHAOS_FILMS=60 CHAOS_KILLS=20 pytest tests/chaos/test_films.py` is a larger run.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from films import film
from provider_server import ProviderServer
from running import BOT, BotHarness, bot_process, buttons, says

from bot.sandbox import Chat, Json, Person, SandboxServer
from chaos.faults import Trouble

START, JOIN, SHOTS = says("button_film_start"), says("button_film_join"), says("button_film_shots")
_LIFE_S = (1.0, 6.0)
_PAUSE_S = 0.5
_END_S = 240.0


@dataclass
class FilmRun:
    """Films by the words of their shots, each in a chat of its own."""

    stage: BotHarness
    rng: random.Random
    films: int
    shots: list[list[str]] = field(default_factory=list)
    places: list[tuple[Person, Chat]] = field(default_factory=list)

    def ask(self) -> None:
        """Every person asks for one film."""
        for number in range(self.films):
            person, chat = self.stage.newcomer(f"Person {number}")
            if number % 4 == 3:
                chat = self.stage.world.add_group(f"Group {number}", [person])
            words = [f"film {number:03} shot {shot}." for shot in range(self.rng.randint(2, 9))]
            lines = [line + (" --cut" if self.rng.random() < 0.4 else "") for line in words]
            self.shots.append(words)
            self.places.append((person, chat))
            self.stage.world.say(person, chat, f"/film@{BOT} " + "\n".join(lines))

    async def press_on(self, *, join: bool = False) -> None:
        """Start what asks for a yes; at the end join what there is, where a film asks."""
        while True:
            for person, chat in self.places:
                for message in self.stage.world.bot_messages(chat):
                    wanted = [one for one in buttons(message) if one == START or (join and one == JOIN)]
                    for label in wanted:
                        self.stage.world.press(person, message, label)
            await asyncio.sleep(_PAUSE_S)

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(row["body"]) | {"due": row["due_at"]} for row in self.stage.rows("films")]

    def is_over(self) -> bool:
        """Return True if no film goes on by itself, and none offers to be joined."""
        rows = self.rows()
        waiting = [row for row in rows if row["state"] == "making" and row["asks"] and row["due"] is None]
        offers = [message for message in self._messages() if JOIN in buttons(message)]
        done = [row for row in rows if row["state"] == "done"]
        return not offers and len(done) + len(waiting) == self.films

    def wrong(self) -> Iterator[str]:
        """Yield a sentence for each promise that was broken."""
        for words, (_, chat) in zip(self.shots, self.places, strict=True):
            jobs = {one: self.stage.jobs(one) for one in words}
            if twice := [one for one, count in jobs.items() if count > 1]:
                yield f"bought twice: {twice}"
            rows = [row for row in self.rows() if row["card"]["chat_id"] == chat.id]
            if len(rows) != 1:
                yield f"{len(rows)} films for {words[0]}"
                continue
            films = [one for one in self.stage.videos(chat) if SHOTS in buttons(one)]
            if others := [one for one in self.stage.videos(chat) if SHOTS not in buttons(one)]:
                yield f"{len(others)} shots of {words[0]} were shown by themselves"
            if rows[0]["state"] == "done" and not films:
                yield f"the film of {words[0]} was never shown"
            if len(films) > 1:
                yield f"the film of {words[0]} was shown {len(films)} times"
            if rows[0]["state"] == "done" and not any(jobs.values()):
                yield f"the film of {words[0]} was made of nothing"

    def unfinished(self) -> Iterator[str]:
        """Yield a sentence for each film that neither ended nor asks."""
        for row in self.rows():
            is_asking = row["asks"] and row["due"] is None
            if row["state"] != "done" and not is_asking:
                tasks = [task for task in self.stage.rows("tasks") if task["film_id"] == row["id"]]
                shots = [f"{task['state']} {task['error_code']} {task['due_at']}" for task in tasks]
                yield f"{row['shots'][0]['plain']['prompt']} is {row['state']} {row['asks']}: {shots}"

    def _messages(self) -> Iterator[Json]:
        for _, chat in self.places:
            yield from self.stage.world.bot_messages(chat)


async def run_films(
    folder: Path, *, seed: int, films: int, kills: int, share: float
) -> tuple[str, list[str]]:
    """Make films through kills and faults. Return what happened, and each promise that was broken."""
    rng = random.Random(seed)
    async with SandboxServer() as server, ProviderServer(hang_s=2.0, video=film()) as provider:
        stage = BotHarness(server, provider, folder)
        run = FilmRun(stage, rng, films)
        values = stage.values(
            open_tasks_per_user="4", volcengine_concurrency="8", log_level="error", submits_per_hour="9999"
        )
        trouble = Trouble(rng, share, 2.0, [])
        async with bot_process(folder, values):
            run.ask()
            # A kill between a card and its row leaves a second card: that is another story.
            await stage.until(lambda: len(stage.rows("films")) == films, _END_S)
        pressing = asyncio.create_task(run.press_on())
        trouble.at_telegram(server)
        provider.interfere = trouble.at_the_provider
        for _ in range(kills):
            async with bot_process(folder, values):
                await asyncio.sleep(rng.uniform(*_LIFE_S))
        trouble.end(server, provider)
        pressing.cancel()
        pressing = asyncio.create_task(run.press_on(join=True))
        async with bot_process(folder, values):
            with suppress(TimeoutError):
                await stage.until(run.is_over, _END_S)
        pressing.cancel()
        states = [row["state"] for row in run.rows()]
        told = f"{states.count('done')} of {films} films joined, {sum(map(len, run.shots))} shots asked for,"
        told += f" {len(provider.jobs)} bought, {kills} kills, {trouble.counted.total()} faults"
        return told, [*run.wrong(), *run.unfinished()]
