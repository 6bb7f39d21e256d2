"""/admin in the chat of the whole bot, and what its page does to a real queue."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from running import BOT, BotHarness, running_bot, says, stage

from bot import app
from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADMIN_ID = 6001


@dataclass
class PageHarness:
    stage: BotHarness
    started: app.StartInfo
    admin: Person
    chat: Chat

    async def link(self) -> str:
        """What /admin answers with."""
        message = await self.stage.answer(self.stage.world.say(self.admin, self.chat, "/admin"))
        (url,) = re.findall(r"http://\S+", message["text"])
        return str(url)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PageHarness]:
    async with stage(tmp_path_factory.mktemp("bot")) as live_bot:
        values = live_bot.values(private_port="0", admin_users=str(ADMIN_ID), volcengine_concurrency="1")
        async with running_bot(values) as started:
            admin = live_bot.world.add_person(Person(ADMIN_ID, "Olga", None, "en"))
            yield PageHarness(live_bot, started, admin, live_bot.world.private_chat(admin))
        assert live_bot.world.complaints == []


async def test_an_admin_gets_a_link_without_preview_and_comes_in_by_it(page: PageHarness) -> None:
    link = await page.link()
    (call,) = [call for call in page.stage.server.calls_of("sendMessage") if link in call.params["text"]]
    assert call.params["link_preview_options"] == {"is_disabled": True}
    assert link.startswith(f"{page.started.private_url}/admin/login#")
    assert page.started.tunnel in call.params["text"]
    async with session_by(link) as visitor, visitor.get(f"{page.started.private_url}/admin") as answer:
        assert answer.status == 200
        assert "volcengine" in await answer.text()


async def test_others_are_not_told_that_there_is_a_page(page: PageHarness) -> None:
    person, chat = page.stage.newcomer()
    answer = await page.stage.answer(page.stage.world.say(person, chat, "/admin"))
    assert answer["text"] == says("unknown_command")


async def test_in_a_group_the_link_goes_to_the_private_chat(page: PageHarness) -> None:
    world = page.stage.world
    group = world.add_group("A group", [page.admin])
    await page.link()
    before = len(world.bot_messages(page.chat))
    answer = await page.stage.answer(world.say(page.admin, group, f"/admin@{BOT}"))
    assert answer["text"] == says("admin_page_sent")
    assert "/admin/login#" in world.bot_messages(page.chat)[before]["text"]


async def test_the_page_puts_first_and_cancels_what_waits_and_tells_its_person(page: PageHarness) -> None:
    live_bot = page.stage
    with live_bot.unfinished():
        people = [live_bot.newcomer(name) for name in ("Ada", "Boris", "Chiara")]
        for person, chat in people:
            live_bot.world.say(person, chat, f"/video a hat for {person.first_name} --model jimeng-pro")
            await live_bot.until(lambda chat=chat: live_bot.tasks(chat))  # type: ignore[misc]
        await live_bot.job("a hat for Ada")
        waiting = {person.first_name: live_bot.tasks(chat)[0]["id"] for person, chat in people[1:]}
        async with session_by(await page.link()) as visitor:
            _, text = await _get(visitor, page, "/admin")
            assert text.index(waiting["Boris"][:8]) < text.index(waiting["Chiara"][:8])
            await _make(visitor, page, f"/admin/tasks/{waiting['Chiara']}/first")
            _, text = await _get(visitor, page, "/admin")
            assert text.index(waiting["Chiara"][:8]) < text.index(waiting["Boris"][:8])
            await _make(visitor, page, f"/admin/tasks/{waiting['Boris']}/cancel")
            _, text = await _get(visitor, page, f"/admin/tasks/{waiting['Boris']}")
            assert "cancelled it" in text
        _, chat = people[1]
        await live_bot.until(lambda: live_bot.tasks(chat)[0]["state"] == "cancelled")
        await live_bot.until(
            lambda: [
                one for one in live_bot.world.bot_messages(chat) if says("cancelled") in one.get("text", "")
            ]
        )
    assert live_bot.jobs("a hat for Boris") == 0


@asynccontextmanager
async def session_by(link: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that has come in."""
    login, _, token = link.partition("#")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.post(login, data={"token": token}) as response:
            assert response.status == 200
        yield session


def _tells(live_bot: BotHarness, chat: Chat, words: str) -> bool:
    return any(words in message.get("text", "") for message in live_bot.world.bot_messages(chat))


async def _get(visitor: aiohttp.ClientSession, page: PageHarness, path: str) -> tuple[int, str]:
    async with visitor.get(f"{page.started.private_url}{path}") as response:
        return response.status, await response.text()


async def _make(visitor: aiohttp.ClientSession, page: PageHarness, path: str) -> None:
    """A move, confirmed."""
    _, text = await _get(visitor, page, path)
    csrf_token = re.findall(r'name="csrf_token" value="([^"]+)"', text)[-1]
    async with visitor.post(f"{page.started.private_url}{path}", data={"csrf_token": csrf_token}) as response:
        assert response.status == 200


async def test_the_page_keeps_people_out_and_pauses_as_the_commands_do(page: PageHarness) -> None:
    live_bot = page.stage
    person, chat = live_bot.newcomer("Dong")
    async with session_by(await page.link()) as visitor:
        await _make(visitor, page, f"/admin/people/{person.id}/ban")
        live_bot.world.say(person, chat, "/video a kite")
        await _make(visitor, page, "/admin/models/*/pause")
        _, text = await _get(visitor, page, "/admin")
        assert "Everything is paused" in text
        await _make(visitor, page, "/admin/models/*/resume")
        _, text = await _get(visitor, page, "/admin/record")
        assert text.index("went on with everything") < text.index("paused everything")
        await _make(visitor, page, f"/admin/people/{person.id}/allow")
    live_bot.world.say(person, chat, "/video a boat")
    await live_bot.job("a boat")
    assert live_bot.jobs("a kite") == 0


async def test_what_failed_is_made_for_its_person_on_the_same_card(page: PageHarness) -> None:
    live_bot = page.stage
    await live_bot.until(lambda: all(task["delivered_at"] for task in live_bot.rows("tasks")))
    person, chat = live_bot.newcomer("Élodie")
    with live_bot.unfinished():
        live_bot.world.say(person, chat, "/video a paper moon")
        await live_bot.job("a paper moon")
        blocker = live_bot.newcomer("Farid")
        live_bot.world.say(*blocker, "/video a paper sun")
        (waiting,) = await live_bot.until(lambda: live_bot.tasks(blocker[1]))
        live_bot.world.say(*blocker, "/cancel")
        await live_bot.until(lambda: live_bot.tasks(blocker[1])[0]["delivered_at"])
    async with session_by(await page.link()) as visitor:
        await _make(visitor, page, f"/admin/tasks/{waiting['id']}/again")
        _, text = await _get(visitor, page, f"/admin/tasks/{waiting['id']}")
        assert "asked again for it" in text
    await live_bot.shown(blocker[1])
    first, second = live_bot.tasks(blocker[1])
    assert (second["parent_id"], second["card_id"]) == (first["id"], first["card_id"])
    assert live_bot.jobs("a paper sun") == 1


async def test_a_process_without_a_page_leads_to_that_of_another(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(admin_users=str(ADMIN_ID), private_url="https://bot.vpn.example")
        async with running_bot(values) as started:
            assert started.private_url is None
            admin = live_bot.world.add_person(Person(ADMIN_ID, "Olga", None, "en"))
            chat = live_bot.world.private_chat(admin)
            message = await live_bot.answer(live_bot.world.say(admin, chat, "/admin"))
            assert "https://bot.vpn.example/admin/login#" in message["text"]


async def test_where_there_is_no_page_an_admin_reads_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(admin_users=str(ADMIN_ID))):
        admin = live_bot.world.add_person(Person(ADMIN_ID, "Olga", None, "en"))
        message = await live_bot.answer(
            live_bot.world.say(admin, live_bot.world.private_chat(admin), "/admin")
        )
        assert message["text"] == says("admin_page_off")
