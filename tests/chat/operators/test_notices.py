"""Account trouble: the admins hear of it once, and once when it is over. Others read one sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import Clock
from provider_server import gateway_error
from running import BotHarness, bot_on_stage, open_gate, running_bot, says, stage

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat.access import Access
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.operators.notices import Notices
from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.messenger import Messenger
from bot.sandbox import Chat, Fault, FaultKind, Person
from bot.settings import IsolatedSettings
from bot.store import Notice
from bot.stores.sqlite import SQLiteStore
from bot.text import plain, say

OWNER = Person(501, "Olga", None, "en")
KEY_REFUSED = gateway_error(100009, "InvalidAccessKey", 401, "The accesskey [AKEXAMPLE] is invalid.")
TOLD = says("trouble_key_refused", provider="volcengine")
NOTICE = Notice("trouble_no_balance", {"provider": "cloud"})
OVER = says("trouble_over", provider="volcengine", minutes=1)


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, admin_users=str(OWNER.id)) as made:
        made.world.add_person(OWNER)
        yield made
        assert made.world.complaints == []


@pytest.fixture
def owners(live_bot: BotHarness) -> Chat:
    """The owner's private chat."""
    return live_bot.world.private_chat(OWNER)


async def test_an_admin_is_told_once_and_once_that_it_is_over(live_bot: BotHarness, owners: Chat) -> None:
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: _said(live_bot, owners))
    ada, chat = live_bot.newcomer()
    for words in ("/video one", "/video two"):
        await _refused(live_bot, ada, chat, words)
    assert _said(live_bot, owners)[1:] == [TOLD]
    live_bot.world.say(ada, chat, "/video three")
    await live_bot.shown(chat)
    await live_bot.until(lambda: _said(live_bot, owners)[1:] == [TOLD, OVER])


async def test_an_admin_is_told_in_the_language_of_their_private_chat(
    live_bot: BotHarness, owners: Chat
) -> None:
    card = await live_bot.answer(live_bot.world.say(OWNER, owners, "/settings"))
    await live_bot.forged_tap(OWNER, card, "set:language=zh")
    ada, chat = live_bot.newcomer()
    await _refused(live_bot, ada, chat, "/video a lantern")
    told = plain(say("zh", "trouble_key_refused", provider="volcengine"))
    await live_bot.until(lambda: told in _said(live_bot, owners))
    assert says("account") in (await live_bot.card(chat))["text"]


async def test_people_read_that_the_model_is_not_available_and_nothing_of_the_account(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    await _refused(live_bot, ada, chat, "/video a coin")
    card = await live_bot.card(chat)
    assert f"{says('account')}\n{says('not_charged')}" in card["text"]
    assert "AKEXAMPLE" not in str(live_bot.world.bot_messages(chat))


async def test_who_never_started_the_bot_reads_it_on_start_and_once(
    live_bot: BotHarness, owners: Chat
) -> None:
    ada, chat = live_bot.newcomer()
    await _refused(live_bot, ada, chat, "/video a key")
    assert _said(live_bot, owners) == []
    await live_bot.until(lambda: len(live_bot.rows("notices")) == 1)
    live_bot.world.say(ada, chat, "/start")
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: _said(live_bot, owners) == [says("start"), TOLD])
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: _said(live_bot, owners) == [says("start"), TOLD, says("start")])
    assert TOLD not in _said(live_bot, chat)


@pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.BAD_REQUEST, FaultKind.DROP])
async def test_a_notice_that_telegram_does_not_take_is_kept(
    live_bot: BotHarness, owners: Chat, kind: FaultKind
) -> None:
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: _said(live_bot, owners))
    live_bot.server.faults.add(Fault("sendMessage", kind, when=lambda params: params["chat_id"] == OWNER.id))
    ada, chat = live_bot.newcomer()
    await _refused(live_bot, ada, chat, "/video a bell")
    await live_bot.until(lambda: live_bot.rows("notices"))
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: TOLD in _said(live_bot, owners))


async def test_a_notice_waits_for_the_end_of_a_flood(live_bot: BotHarness, owners: Chat) -> None:
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: _said(live_bot, owners))
    live_bot.server.faults.add(
        Fault("sendMessage", FaultKind.FLOOD, when=lambda params: params["text"] == TOLD)
    )
    ada, chat = live_bot.newcomer()
    await _refused(live_bot, ada, chat, "/video a xylophone")
    await live_bot.until(lambda: TOLD in _said(live_bot, owners))
    assert live_bot.rows("notices") == []


async def test_a_notice_that_is_lost_while_it_is_read_out_is_read_out_again(
    live_bot: BotHarness, owners: Chat
) -> None:
    ada, chat = live_bot.newcomer()
    await _refused(live_bot, ada, chat, "/video a gong")
    live_bot.server.faults.add(
        Fault("sendMessage", FaultKind.FLOOD, when=lambda params: params["text"] == TOLD)
    )
    live_bot.world.say(OWNER, owners, "/start")
    await live_bot.until(lambda: _said(live_bot, owners).count(TOLD) == 1)
    assert live_bot.rows("notices") == []


async def test_who_is_no_admin_any_more_reads_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        owners = live_bot.world.private_chat(live_bot.world.add_person(OWNER))
        async with running_bot(live_bot.values(admin_users=str(OWNER.id))):
            await _refused(live_bot, ada, chat, "/video a drum")
            await live_bot.until(lambda: live_bot.rows("notices"))
        async with running_bot(live_bot.values(admin_users=str(ada.id))):
            live_bot.world.say(OWNER, owners, "/start")
            await live_bot.handled(OWNER, owners)
        assert TOLD not in _said(live_bot, owners)


async def test_an_admin_by_the_link_is_told_as_well(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values()) as started:
        assert started.claim_link is not None
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, f"/start {started.claim_link.partition('start=')[2]}")
        await live_bot.until(lambda: _said(live_bot, chat) == [says("claimed")])
        await _refused(live_bot, ada, chat, "/video a crown")
        await live_bot.until(lambda: TOLD in _said(live_bot, chat))


async def test_a_telegram_that_hangs_holds_nobody_up(tmp_path: Path, store: SQLiteStore) -> None:
    async with stage(tmp_path) as live_bot:
        bot = connect(live_bot.server.token, live_bot.server.url, open_gate())
        await bot.initialize()
        settings = IsolatedSettings(admin_users=frozenset({501, 502}))
        access = an_access(settings, store)
        preferences = ChatPreferences(store.people, lambda: "en", Clock())
        messenger = Messenger(bot, Clock(), preferences)
        notices = Notices(
            kept=store.people,
            people=store.people,
            messenger=messenger,
            access=access,
            preferences=preferences,
            limit_s=0.1,
        )
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.SLOW, times=None))
        await notices.tell_admins(NOTICE)
        await bot.shutdown()
        assert [await store.people.take_notices(admin) for admin in (501, 502)] == [[NOTICE], [NOTICE]]


async def test_a_database_that_fails_stops_nobody(tmp_path: Path, store: SQLiteStore) -> None:
    async with stage(tmp_path) as live_bot:
        preferences = ChatPreferences(store.people, lambda: "en", Clock())
        messenger = Messenger(
            connect(live_bot.server.token, live_bot.server.url, open_gate()), Clock(), preferences
        )
        access = an_access(IsolatedSettings(admin_users=frozenset({501})), store)
        notices = Notices(
            kept=store.people,
            people=store.people,
            messenger=messenger,
            access=access,
            preferences=preferences,
        )
        await store.close()
        await notices.tell_admins(NOTICE)


def an_access(settings: IsolatedSettings, store: SQLiteStore) -> Access:
    clock = Clock()
    return Access(
        LiveSettings(settings, store.audit, clock), Permissions(store.audit, clock), store, store.tasks, clock
    )


async def _refused(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> None:
    """Until the account was refused, and the person told."""
    before = len(live_bot.tasks(chat))
    live_bot.provider.next("submit", KEY_REFUSED)
    live_bot.world.say(person, chat, words)
    await live_bot.until(lambda: (tasks := live_bot.tasks(chat))[before:] and tasks[-1]["delivered_at"])


def _said(live_bot: BotHarness, chat: Chat) -> list[str]:
    return [one.get("text", "") for one in live_bot.world.bot_messages(chat)]
