"""Several processes whom Telegram calls by turns: what one chat or one person may is kept by all together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from passing_on import SECRET_HEADER, Forwarder, forwarder, free_ports
from postgres_server import PostgresServer
from provider_server import failure
from running import BOT, PATIENCE_S, BotHarness, bot_process, buttons, says, stage

from bot.sandbox import Chat, Json, Person

VIDEO_REFUSED = failure(50511, "Post Img Risk Not Pass", 400)
KEY = "one key for both of them"


@asynccontextmanager
async def two_called(
    postgres: PostgresServer, folder: Path, **changes: str
) -> AsyncIterator[tuple[BotHarness, Forwarder]]:
    """Two processes in webhook mode behind a forwarder; no job at the provider comes to an end."""
    url = await postgres.clean_database()
    ports = free_ports(2)
    async with (
        stage(folder) as live_bot,
        forwarder([f"http://127.0.0.1:{port}" for port in ports]) as between,
    ):
        common = {
            "telegram_mode": "webhook",
            "public_url": between.url,
            "secret_key": KEY,
            "database_url": url,
        }
        first, second = (
            live_bot.values(**common, listen_port=str(port), volcengine_concurrency="20", **changes)
            for port in ports
        )
        with live_bot.unfinished():
            async with bot_process(folder, first), bot_process(folder, second):
                yield live_bot, between


async def test_what_a_chat_says_to_two_processes_is_handled_in_its_order_and_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    async with two_called(postgres, tmp_path, open_tasks_per_user="unlimited") as (live_bot, between):
        ada, chat = live_bot.newcomer()
        words = [f"a boat of number {number:02}." for number in range(6)]
        for prompt in words:
            live_bot.world.say(ada, chat, f"/video {prompt}")
        await live_bot.until(lambda: jobs(live_bot, words) == len(words), 2 * PATIENCE_S)
        await live_bot.handled(ada, chat)
        said = [one.get("text", "") for one in live_bot.world.bot_messages(chat)]
        assert [prompt for text in said for prompt in words if prompt in text] == words
        assert [live_bot.jobs(prompt) for prompt in words] == [1] * len(words)
        assert min(between.counts[door] for door in between.doors) >= len(words) // 2
        assert live_bot.server.calls_of("getUpdates") == []

        update = '{"update_id": 900001, "message": {"message_id": 1, "date": 1, "text": "/video a forgery",'
        update += f' "chat": {{"id": {chat.id}, "type": "private"}}, "from": {{"id": {ada.id}}}}}}}'
        for door in between.doors:
            for headers in ({}, {SECRET_HEADER: "another"}):
                async with between.client.post(f"{door}/telegram", data=update, headers=headers) as answer:
                    assert answer.status == 404
        await live_bot.handled(ada, chat)
        assert live_bot.jobs("a forgery") == 0


async def test_two_processes_keep_the_limit_of_one_person_and_sell_once_what_is_tapped_twice(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    async with two_called(postgres, tmp_path, open_tasks_per_user="3") as (live_bot, between):
        ada, chat = live_bot.newcomer()
        card = await failed_card(live_bot, ada, chat, "a kite")
        live_bot.provider.statuses = ("generating",) * 100_000  # what has ended may be ordered once more
        async with all_at_once(between, 2):
            for _ in range(2):
                live_bot.world.press(ada, card, says("button_try_again_order"))
        await live_bot.job("a kite")
        await live_bot.handled(ada, chat)
        assert live_bot.jobs("a kite") == 1, "two taps, and each of them sent to both"

        bea, own = live_bot.newcomer("Bea")
        chats = [own, *(live_bot.world.add_group(f"Group {number}", [bea]) for number in range(11))]
        words = [f"a swan of number {number:02}." for number in range(12)]
        async with all_at_once(between, len(words)):
            for number, prompt in enumerate(words):
                live_bot.world.say(bea, chats[number], f"/video@{BOT} {prompt}")
        await live_bot.until(lambda: refusals(live_bot, chats) + jobs(live_bot, words) >= len(words))
        for one in chats:
            await live_bot.handled(bea, one)
        assert (jobs(live_bot, words), refusals(live_bot, chats)) == (3, 9)


@asynccontextmanager
async def all_at_once(between: Forwarder, many: int) -> AsyncIterator[None]:
    """What is said meanwhile reaches both processes at the same instant."""
    before, between.keeps = len(between.kept), True
    yield
    async with asyncio.timeout(20):
        while len(between.kept) < before + many:
            await asyncio.sleep(0.02)  # the other side tells nobody
    await between.release()


async def failed_card(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    live_bot.provider.next("submit", VIDEO_REFUSED)
    live_bot.world.say(person, chat, f"/video {words}")
    label = says("button_try_again_order")
    found = await live_bot.until(
        lambda: [one for one in live_bot.world.bot_messages(chat) if label in buttons(one)]
    )
    return found[0]


def jobs(live_bot: BotHarness, words: list[str]) -> int:
    return sum(map(live_bot.jobs, words))


def refusals(live_bot: BotHarness, chats: list[Chat]) -> int:
    said = [one.get("text", "") for chat in chats for one in live_bot.world.bot_messages(chat)]
    return said.count(says("limit_open", count=3))
