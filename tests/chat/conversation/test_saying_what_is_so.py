"""What cards say is so, played as a person would see it, from the draft to Details."""

from __future__ import annotations

import re
from array import array
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import av
import pytest
from pictures import photo
from provider_server import Reply, failure, gateway_error
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person

KEY_REFUSED = gateway_error(100009, "InvalidAccessKey", 401, "The accesskey is invalid.")
SILENT_1080P = "10 s · 1080p · 🔇"
OWNER = Person(501, "Olga", None, "en")


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, admin_users=str(OWNER.id)) as made:
        made.world.add_person(OWNER)
        yield made
        assert made.world.complaints == []


async def test_length_resolution_and_sound_stay_on_the_card_to_the_end(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a slow tide 10s"))
    with live_bot.unfinished():
        await live_bot.tap(ada, draft, says("button_generate"))
        await live_bot.until(lambda: any("▱" in text for text in _drawn(live_bot, chat)))
    (video,) = await live_bot.shown(chat)
    assert all(SILENT_1080P in text for text in _drawn(live_bot, chat) if "a slow tide" in text)
    assert SILENT_1080P in video["caption"]
    await live_bot.tap(ada, video, says("button_details"))
    assert SILENT_1080P in (await live_bot.answer(video, containing=says("details_calls")))["text"]
    live_bot.provider.next("submit", failure(50412, "Text Risk Not Pass", 400))
    live_bot.world.say(ada, chat, "/video a fast tide 10s")
    await live_bot.until(lambda: any(one["error_code"] for one in live_bot.tasks(chat)))
    failed = await live_bot.until(lambda: _with(live_bot, chat, says("prompt_refused")))
    assert failed is not None
    assert SILENT_1080P in failed["text"]


async def test_a_longer_video_is_told_to_take_longer_from_the_first_day(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    short = await live_bot.answer(live_bot.world.say(ada, chat, "a patient heron"))
    long = await live_bot.answer(live_bot.world.say(ada, chat, "a patient stork 10s"))
    assert _told_s(long) == pytest.approx(2 * _told_s(short), abs=15)


async def test_a_bar_never_runs_backwards_not_even_over_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            live_bot.world.say(ada, chat, "/video a long pier --model preview 10s")
            await live_bot.until(lambda: any("▰▰" in text for text in _drawn(live_bot, chat)))
        async with running_bot(live_bot.values()):
            with suppress(TimeoutError):
                await live_bot.shown(chat)
        bars = [text.count("▰") for text in _drawn(live_bot, chat) if "▱" in text or "▰" in text]
        assert max(bars) >= 2
        assert bars == sorted(bars)


async def test_trouble_of_the_provider_is_no_free_place_that_is_waited_for(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(language="es")
    trouble = failure(50500, "Internal Error", 500)
    live_bot.provider.interfere = lambda kind, _: trouble if kind == "submit" else None
    live_bot.world.say(ada, chat, "/video un faro")
    await live_bot.until(lambda: any("tiene problemas" in text for text in _drawn(live_bot, chat)))
    live_bot.provider.interfere = lambda _kind, _received: None
    await live_bot.shown(chat)


async def test_no_way_out_leads_to_an_account_in_trouble_or_to_a_paused_model(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    owners = live_bot.world.private_chat(OWNER)
    refused, other = failure(50412, "Text Risk Not Pass", 400), says("button_other_model", model="jimeng-pro")

    async def failed(words: str, reply: Reply, why: str) -> Json:
        live_bot.provider.next("submit", reply)
        asked = live_bot.world.say(ada, chat, f"/video {words} --model jimeng-1080p")
        return await live_bot.answer(asked, containing=says(why))

    assert other in buttons(await failed("a first way", refused, "prompt_refused"))
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause jimeng-pro"))
    assert other not in buttons(await failed("a second way", refused, "prompt_refused"))
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/resume jimeng-pro"))
    assert other in buttons(await failed("a third way", refused, "prompt_refused"))
    assert other not in buttons(await failed("a fourth way", KEY_REFUSED, "account"))


async def test_a_preview_without_sound_is_silent(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    for number, words in enumerate(("rain on a roof --audio off", "rain on a roof --audio on"), 1):
        live_bot.world.say(ada, chat, f"/video {words} --model preview")
        await live_bot.shown(chat, number)
    silent, loud = (_loudest(live_bot.file_of(video)) for video in live_bot.videos(chat))
    assert silent == 0
    assert loud > 0


async def test_who_is_banned_hears_nothing_in_an_allowed_group_and_nobody_is_asked(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    owners = live_bot.world.private_chat(OWNER)
    group = live_bot.world.add_group("Allowed", [ada, OWNER])
    await live_bot.answer(live_bot.world.say(OWNER, owners, f"/allow {group.id}"))
    await live_bot.answer(live_bot.world.say(OWNER, owners, f"/ban {ada.id}"))
    told, heard = len(live_bot.world.bot_messages(owners)), len(live_bot.world.bot_messages(group))
    for words in (f"/video@{BOT} a hat", f"/models@{BOT}", f"/help@{BOT}"):
        live_bot.world.say(ada, group, words)
    live_bot.world.say(ada, chat, "let me in")
    live_bot.world.say(OWNER, group, f"/video@{BOT} a coat")
    await live_bot.shown(group)
    assert len(live_bot.world.bot_messages(group)) == heard + 1
    assert live_bot.world.bot_messages(chat) == []
    assert len(live_bot.world.bot_messages(owners)) == told
    assert live_bot.jobs("a hat") == 0


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("a pear --duration 10 --aspect_ratio 1:1", "1:1 · 10 s"),
        ("a pear --frames 241 --size 1080x1920", "9:16 · 10 s"),
        ("a pear -ratio 9:16", "9:16 · 5 s"),
        ("a pear –seconds 10 --seed -1", "16:9 · 10 s"),
        ("a pear 4:3 for 10 seconds", "4:3 · 10 s"),
        ("груша 10 секунд", "16:9 · 10 s"),
        ("梨 10秒钟", "16:9 · 10 s"),
    ],
)
async def test_options_by_other_names_are_on_the_draft(live_bot: BotHarness, words: str, facts: str) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, words))
    prompt, below = draft["text"].split("\n")[:2]
    assert prompt in {"a pear", "груша", "梨"}
    assert below == f"jimeng-pro · {facts} · 1080p · 🔇"


async def test_a_first_photo_with_words_is_a_draft_that_says_where_it_goes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    live_bot.world.send_photo(ada, chat, photo(), caption="the sails fill 10s")
    card = await live_bot.card(chat)
    assert SILENT_1080P in card["text"]
    assert says("photo_goes_to", company="Volcengine (ByteDance)") in card["text"]


def _drawn(live_bot: BotHarness, chat: Chat) -> list[str]:
    """All that the cards of a chat have said so far, in order."""
    calls = [
        call
        for call in live_bot.server.calls
        if call.ok
        and call.params.get("chat_id") == chat.id
        and call.method in ("sendMessage", "editMessageText", "editMessageCaption")
    ]
    return [str(call.params.get("text") or call.params.get("caption") or "") for call in calls]


def _with(live_bot: BotHarness, chat: Chat, words: str) -> Json | None:
    return next((one for one in live_bot.world.bot_messages(chat) if words in one.get("text", "")), None)


def _told_s(draft: Json) -> int:
    told = re.search(r"usually takes (?:(\d+) min)? ?(?:(\d+) s)?", draft["text"])
    assert told is not None
    return 60 * int(told[1] or 0) + int(told[2] or 0)


def _loudest(path: Path) -> float:
    """The largest sample; a film without sound has a silent track."""
    loudest = 0.0
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            samples = array("f", bytes(frame.planes[0])[: 4 * frame.samples])
            loudest = max(loudest, *map(abs, samples))
    return loudest
