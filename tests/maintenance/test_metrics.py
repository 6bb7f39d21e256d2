"""Figures for Prometheus: they say what happened, each is explained, and none names a person."""

from __future__ import annotations

import asyncio
import re
import signal
from importlib.metadata import version
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families as families
from running import PATIENCE_S, BotHarness, bot_process, running_bot, stage

from bot.maintenance.metrics import PAID_WITHOUT_VIDEO
from bot.sandbox.faults import Fault, FaultKind

OPERATE = Path(__file__).parents[2] / "docs" / "operate.md"


async def ask(url: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text(), response.headers["Content-Type"]


def read(page: str) -> dict[tuple[str, ...], float]:
    """Each value by its name and its labels' values, in the order of the labels' names."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for one in families(page)
        for sample in one.samples
    }


async def two_videos(live_bot: BotHarness) -> set[str]:
    """What must not be in the figures."""
    ada, chat = live_bot.newcomer("Ada Lovelace")
    for number, words in enumerate(("a paper boat", "a paper ship")):
        live_bot.world.say(ada, chat, f"/video {words}")
        await live_bot.shown(chat, number + 1)
    return {str(chat.id), "Ada", "Lovelace", "paper", *(task["id"] for task in live_bot.tasks(chat))}


async def test_figures_say_what_happened_and_name_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(private_port="0")) as started:
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.FLOOD))
        private = await two_videos(live_bot)
        status, page, content_type = await ask(f"{started.private_url}/metrics")
        assert status == 200
        assert content_type.startswith("text/plain; version=")
        found = read(page)
        assert found["dreamreel_requests_total", "jimeng-pro", "video"] == 2
        assert found["dreamreel_jobs_total", "jimeng-pro"] == 2
        assert found["dreamreel_polls_total", "jimeng-pro"] >= 2
        assert found["dreamreel_queue_seconds_count", "volcengine"] == 2
        assert found["dreamreel_wait_seconds_count", "jimeng-pro"] == 2
        assert found["dreamreel_delivery_seconds_count",] == 2
        assert found["dreamreel_provider_calls_total", "ok", "submit", "volcengine"] == 2
        assert found["dreamreel_provider_call_seconds_count", "submit", "volcengine"] == 2
        assert found["dreamreel_telegram_answers_total", "429"] == 1
        assert found["dreamreel_telegram_answers_total", "200"] > 2
        assert found["dreamreel_provider_up", "volcengine"] == 1
        assert found["dreamreel_slots", "volcengine"] == 4
        assert found["dreamreel_slots_usable", "volcengine"] == 4
        assert found["dreamreel_slots_in_use", "volcengine"] == 0
        assert found["dreamreel_waiting_tasks", "volcengine"] == 0
        assert found["dreamreel_oldest_waiting_seconds", "volcengine"] == 0
        assert found["dreamreel_open_updates",] == 0
        assert found["dreamreel_spent_today", "jimeng-pro"] == 0
        assert found["dreamreel_data_free_bytes",] > 0
        assert found["dreamreel_last_backup_timestamp_seconds",] == 0
        assert found["dreamreel_database_writable",] == 1
        assert found["dreamreel_processes",] == found["dreamreel_telegram_poller",] == 1
        assert found["dreamreel_build_info", version("dreamreel")] == 1
        assert {found["dreamreel_requests_total", "jimeng-pro", loss] for loss in PAID_WITHOUT_VIDEO} == {0}
        assert found["process_resident_memory_bytes",] > 0
        assert [one for one in private if one in page] == []


async def test_every_figure_is_explained_to_operators(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(private_port="0")) as started:
        _, page, _ = await ask(f"{started.private_url}/metrics")
        server_deps = {one.name for one in families(page) if one.name.startswith("dreamreel_")}
    explained = set(re.findall(r"^\| `(dreamreel_\w+)`", OPERATE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name.removesuffix("_total") for name in explained} == server_deps


async def test_a_bot_is_ready_from_its_start_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async with (
        stage(tmp_path) as live_bot,
        bot_process(tmp_path, live_bot.values(private_port="0")) as process,
    ):
        url = (await process.prints("private")).split()[1]
        async with asyncio.timeout(PATIENCE_S):
            while await _statuses(url) != (200, 200):
                pass  # its address is printed a moment before its first turn
        live_bot.provider.answering.clear()
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a paper boat")
        await live_bot.provider.wait_for("submit", limit_s=PATIENCE_S)
        process.send(signal.SIGTERM)
        await process.prints("stopping")
        assert await _statuses(url) == (200, 503), "it lives until the submit in flight has ended"
        assert "at_most_s=60" in re.sub(r"\x1b\[\d+m", "", await process.prints("the stop waits for orders"))
        live_bot.provider.answering.set()
        assert await process.end() == 0


async def _statuses(url: str) -> tuple[int, int]:
    return (await ask(f"{url}/healthz"))[0], (await ask(f"{url}/readyz"))[0]
