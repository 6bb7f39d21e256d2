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
from bot.chat.chat_settings import ChatPreferences
from bot.chat.operators.notices import Notices
from bot.chat.ordering.access import Access
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
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, admin_users=str(OWNER.id)) as made:
        made.world.add_person(OWNER)
        yield made
        assert made.world.complaints == []


@pytest.fixture
def owners(there: BotHarness) -> Chat:
    """The owner's private chat."""
    return there.world.private_chat(OWNER)


async def test_an_admin_is_told_once_and_once_that_it_is_over(there: BotHarness, owners: Chat) -> None:
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: _said(there, owners))
    ada, chat = there.newcomer()
    for words in ("/video one", "/video two"):
        await _refused(there, ada, chat, words)
    assert _said(there, owners)[1:] == [TOLD]
    there.world.say(ada, chat, "/video three")
    await there.shown(chat)
    await there.until(lambda: _said(there, owners)[1:] == [TOLD, OVER])


async def test_an_admin_is_told_in_the_language_of_their_private_chat(
    there: BotHarness, owners: Chat
) -> None:
    card = await there.answer(there.world.say(OWNER, owners, "/settings"))
    await there.forged_tap(OWNER, card, "set:language=zh")
    ada, chat = there.newcomer()
    await _refused(there, ada, chat, "/video a lantern")
    told = plain(say("zh", "trouble_key_refused", provider="volcengine"))
    await there.until(lambda: told in _said(there, owners))
    assert says("account") in (await there.card(chat))["text"]


async def test_people_read_that_the_model_is_not_available_and_nothing_of_the_account(
    there: BotHarness,
) -> None:
    ada, chat = there.newcomer()
    await _refused(there, ada, chat, "/video a coin")
    card = await there.card(chat)
    assert f"{says('account')}\n{says('not_charged')}" in card["text"]
    assert "AKEXAMPLE" not in str(there.world.bot_messages(chat))


async def test_who_never_started_the_bot_reads_it_on_start_and_once(there: BotHarness, owners: Chat) -> None:
    ada, chat = there.newcomer()
    await _refused(there, ada, chat, "/video a key")
    assert _said(there, owners) == []
    assert len(there.rows("notices")) == 1
    there.world.say(ada, chat, "/start")
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: _said(there, owners) == [says("start"), TOLD])
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: _said(there, owners) == [says("start"), TOLD, says("start")])
    assert TOLD not in _said(there, chat)


@pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.BAD_REQUEST, FaultKind.DROP])
async def test_a_notice_that_telegram_does_not_take_is_kept(
    there: BotHarness, owners: Chat, kind: FaultKind
) -> None:
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: _said(there, owners))
    there.server.faults.add(Fault("sendMessage", kind, when=lambda params: params["chat_id"] == OWNER.id))
    ada, chat = there.newcomer()
    await _refused(there, ada, chat, "/video a bell")
    await there.until(lambda: there.rows("notices"))
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: TOLD in _said(there, owners))


async def test_a_notice_waits_for_the_end_of_a_flood(there: BotHarness, owners: Chat) -> None:
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: _said(there, owners))
    there.server.faults.add(Fault("sendMessage", FaultKind.FLOOD, when=lambda params: params["text"] == TOLD))
    ada, chat = there.newcomer()
    await _refused(there, ada, chat, "/video a xylophone")
    await there.until(lambda: TOLD in _said(there, owners))
    assert there.rows("notices") == []


async def test_a_notice_that_is_lost_while_it_is_read_out_is_read_out_again(
    there: BotHarness, owners: Chat
) -> None:
    ada, chat = there.newcomer()
    await _refused(there, ada, chat, "/video a gong")
    there.server.faults.add(Fault("sendMessage", FaultKind.FLOOD, when=lambda params: params["text"] == TOLD))
    there.world.say(OWNER, owners, "/start")
    await there.until(lambda: _said(there, owners).count(TOLD) == 1)
    assert there.rows("notices") == []


async def test_who_is_no_admin_any_more_reads_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        ada, chat = there.newcomer()
        owners = there.world.private_chat(there.world.add_person(OWNER))
        async with running_bot(there.values(admin_users=str(OWNER.id))):
            await _refused(there, ada, chat, "/video a drum")
            await there.until(lambda: there.rows("notices"))
        async with running_bot(there.values(admin_users=str(ada.id))):
            there.world.say(OWNER, owners, "/start")
            await there.handled(OWNER, owners)
        assert TOLD not in _said(there, owners)


async def test_an_admin_by_the_link_is_told_as_well(tmp_path: Path) -> None:
    async with stage(tmp_path) as there, running_bot(there.values()) as started:
        assert started.claim_link is not None
        ada, chat = there.newcomer()
        there.world.say(ada, chat, f"/start {started.claim_link.partition('start=')[2]}")
        await there.until(lambda: _said(there, chat) == [says("claimed")])
        await _refused(there, ada, chat, "/video a crown")
        await there.until(lambda: TOLD in _said(there, chat))


async def test_a_telegram_that_hangs_holds_nobody_up(tmp_path: Path, store: SQLiteStore) -> None:
    async with stage(tmp_path) as there:
        bot = connect(there.server.token, there.server.url, open_gate())
        await bot.initialize()
        settings = IsolatedSettings(admin_users=frozenset({501, 502}))
        access = an_access(settings, store)
        preferences = ChatPreferences(store, lambda: "en", Clock())
        messenger = Messenger(bot, Clock(), preferences)
        notices = Notices(
            kept=store, people=store, messenger=messenger, access=access, preferences=preferences, limit_s=0.1
        )
        there.server.faults.add(Fault("sendMessage", FaultKind.SLOW, times=None))
        await notices.tell_admins(NOTICE)
        await bot.shutdown()
        assert [await store.take_notices(admin) for admin in (501, 502)] == [[NOTICE], [NOTICE]]


async def test_a_database_that_fails_stops_nobody(tmp_path: Path, store: SQLiteStore) -> None:
    async with stage(tmp_path) as there:
        preferences = ChatPreferences(store, lambda: "en", Clock())
        messenger = Messenger(
            connect(there.server.token, there.server.url, open_gate()), Clock(), preferences
        )
        access = an_access(IsolatedSettings(admin_users=frozenset({501})), store)
        notices = Notices(
            kept=store, people=store, messenger=messenger, access=access, preferences=preferences
        )
        await store.close()
        await notices.tell_admins(NOTICE)


def an_access(settings: IsolatedSettings, store: SQLiteStore) -> Access:
    clock = Clock()
    return Access(LiveSettings(settings, store, clock), Permissions(store, clock), store, store, clock)


async def _refused(there: BotHarness, person: Person, chat: Chat, words: str) -> None:
    """Until the account was refused, and the person told."""
    before = len(there.tasks(chat))
    there.provider.next("submit", KEY_REFUSED)
    there.world.say(person, chat, words)
    await there.until(lambda: (tasks := there.tasks(chat))[before:] and tasks[-1]["delivered_at"])


def _said(there: BotHarness, chat: Chat) -> list[str]:
    return [one.get("text", "") for one in there.world.bot_messages(chat)]
