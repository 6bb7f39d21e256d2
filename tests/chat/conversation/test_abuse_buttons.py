"""Abuse by taps: forged data of every shape, other people's buttons, lost cards, too many at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quiet_log import quiet_log
from running import BOT, BotHarness, buttons, says

from bot.chat.features import FEATURES
from bot.chat.router import Router
from bot.chat.telegram_io.flood_control import PRESSES
from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHOICES = (
    *(
        "",
        ":",
        "=",
        "model",
        "model=",
        "model=nobody",
        "model=preview",
        "ratio=5:4",
        "seconds=-1",
        "seconds=x",
    ),
    *(
        "camera=robo_arm",
        "audio=perhaps",
        "nobody",
        "jimeng-pro",
        "preview",
        "0",
        "1",
        "-1",
        "9" * 20,
        "on",
        "off",
    ),
    *(
        "yes",
        "no",
        "en",
        "xx",
        "language=xx",
        "../..",
        "0000000000000000",
        "' OR 1=1 --",
        "\x00",
        "\ufffd",
        "👍",
    ),
)
MOST_BYTES = 64
"""https://core.telegram.org/bots/api#inlinekeyboardbutton: callback_data"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with quiet_log():
        yield


def verbs() -> list[str]:
    """All that a running bot knows, so that none can be forgotten here."""
    return sorted(Router(FEATURES).buttons)


async def test_ten_taps_a_second_buy_once_and_all_are_answered(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a restless finger"))
    generate = buttons(draft)[says("button_generate")]
    answers = await taps_of(live_bot, ada, draft, [generate] * 10 * 10)
    assert answers[0] == ""
    assert set(answers[1:PRESSES]) == {says("press_too_late")}
    assert set(answers[PRESSES:]) == {says("press_too_fast")}
    await live_bot.shown(chat)
    assert live_bot.jobs("a restless finger") == len(live_bot.tasks(chat)) == 1


async def test_taps_on_options_draw_the_card_no_oftener_than_the_bound(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "an undecided finger"))
    task = await _task(live_bot, chat)
    options = [f"opt:{task['id']}:seconds={seconds}" for seconds in (10, 5)]
    options = [data for data in buttons(draft).values() if data.count(":") > 1] or options
    await taps_of(live_bot, ada, draft, options * 100)
    assert len(live_bot.edits(chat, "editMessageText")) <= PRESSES


async def test_one_persons_taps_keep_nobody_elses_from_being_done(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [boris, ada])
    with live_bot.unfinished():
        live_bot.world.say(boris, group, f"/video@{BOT} a patient finger")
        await live_bot.job("a patient finger")
        card = await live_bot.card(group)
        cancel = next(data for data in buttons(card).values() if data.startswith("cancel:"))
        foreign = [cancel] * 100
        answers = await taps_of(live_bot, ada, card, foreign)
        assert set(answers) == {says("press_not_yours"), says("press_too_fast")}
        assert await live_bot.tap(boris, card, cancel) == says("press_stopped")
    await live_bot.until(lambda: live_bot.tasks(group)[0]["delivered_at"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(everything=st.data())
async def test_forged_data_touches_no_task_of_anybody_else(
    live_bot: BotHarness, everything: st.DataObject
) -> None:
    """The stage is the same for all examples; each brings people of its own."""
    ada, _ = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    card = await live_bot.answer(live_bot.world.say(ada, group, f"/video@{BOT}"))
    live_bot.world.say(boris, his, "a draft of his own")
    own = await live_bot.card(his)
    hers, mine = await _task(live_bot, group), await _task(live_bot, his)
    jobs = len(live_bot.provider.jobs)
    forged = everything.draw(
        st.lists(_data([hers["id"], "0" * 16, ""]), min_size=PRESSES // 2, max_size=PRESSES)
    )
    for message in (card, own):
        answers = await taps_of(live_bot, boris, message, forged)
        assert says("press_too_fast") not in answers
    assert live_bot.tasks(group) == [hers]
    assert live_bot.tasks(his)[0] == mine
    assert len(live_bot.provider.jobs) == jobs


async def test_no_verb_with_a_choice_that_does_not_exist_buys_or_breaks_anything(
    live_bot: BotHarness,
) -> None:
    with live_bot.unfinished():
        for verb, choices in product(verbs(), (CHOICES[::2], CHOICES[1::2])):
            ada, chat = live_bot.newcomer()
            prompt = f"a wrong choice, after number {ada.id}"
            draft = await live_bot.answer(live_bot.world.say(ada, chat, prompt))
            task = await _task(live_bot, chat)
            forged = [f"{verb}:{task['id']}:{choice}" for choice in choices] + [f"{verb}:{choices[0]}"]
            answers = await taps_of(live_bot, ada, draft, [_shortened(data) for data in forged])
            assert says("press_too_fast") not in answers
            assert live_bot.jobs(prompt) <= 1, verb


async def test_somebody_elses_finished_video_is_nobodys_to_change(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    live_bot.world.say(ada, group, f"/video@{BOT} a video of hers")
    (video,) = await live_bot.shown(group)
    (task,) = live_bot.tasks(group)
    for some in _portions(verbs()):
        await taps_of(live_bot, boris, video, [f"{verb}:{task['id']}" for verb in some])
        boris, _ = live_bot.newcomer("Boris")
        live_bot.world.say(boris, live_bot.world.private_chat(boris), "/start")
    assert _kept(live_bot.tasks(group)[0]) == _kept(task)
    assert live_bot.jobs("a video of hers") == 1


async def test_a_tap_on_a_card_that_was_deleted_is_answered_and_its_video_comes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a card that is gone"))
    live_bot.world.remove(chat, draft["message_id"])
    for gone in (_inaccessible(draft), draft):
        await taps_of(live_bot, ada, gone, [buttons(draft)[says("button_generate")]])
    await live_bot.shown(chat)
    assert live_bot.jobs("a card that is gone") == 1


async def test_all_buttons_of_a_deleted_card_are_answered(live_bot: BotHarness) -> None:
    for some in _portions(verbs()):
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a short life")
        (video,) = await live_bot.shown(chat)
        (task,) = live_bot.tasks(chat)
        live_bot.world.remove(chat, video["message_id"])
        await taps_of(live_bot, ada, _inaccessible(video), [f"{verb}:{task['id']}" for verb in some])
        assert live_bot.jobs("a short life") <= len(live_bot.tasks(chat))
        live_bot.provider.jobs.clear()


async def test_buttons_of_three_weeks_ago_are_answered(live_bot: BotHarness) -> None:
    """Telegram no longer says what stood on the message, and the task may be forgotten."""
    for some in _portions(verbs()):
        ada, chat = live_bot.newcomer()
        old = {"message_id": 5, "chat": chat.as_json()}
        answers = await taps_of(live_bot, ada, _inaccessible(old), [f"{verb}:{'a' * 16}" for verb in some])
        assert len(answers) == len(some)
        assert live_bot.tasks(chat) == []


async def test_a_query_without_message_or_data_is_answered(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a nameless button"))
    queries = []
    for missing in ({"message"}, {"data"}, {"message", "data"}):
        query = live_bot.world.callbacks.open(ada, chat, draft, buttons(draft)[says("button_generate")])
        live_bot.world.updates.put(
            "callback_query",
            {name: value for name, value in query.items() if name not in missing}
            | {"inline_message_id": "x", "game_short_name": "chess"},
        )
        queries.append(query["id"])
    assert set(await _answers(live_bot, queries)) == {says("press_gone")}
    assert live_bot.jobs("a nameless button") == 0


def _data(ids: Sequence[str]) -> st.SearchStrategy[str]:
    """Data of buttons as nobody but a forger writes it: any text that fits, or almost a real one."""
    choices = st.sampled_from(CHOICES) | st.text(max_size=20)
    of_task = st.builds("{}:{}:{}".format, st.sampled_from(verbs()), st.sampled_from(ids), choices)
    plain = st.builds("{}:{}".format, st.sampled_from(verbs()), choices)
    anything = st.text(max_size=MOST_BYTES)
    return (anything | of_task | plain | st.sampled_from(verbs())).map(_shortened)


def _shortened(data: str) -> str:
    return data.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore")


def _portions(every: Sequence[str]) -> list[Sequence[str]]:
    """Fewer than would be too many taps."""
    return [every[start : start + PRESSES] for start in range(0, len(every), PRESSES)]


def _inaccessible(message: Json) -> Json:
    """https://core.telegram.org/bots/api#inaccessiblemessage"""
    return {"message_id": message["message_id"], "chat": message["chat"], "date": 0}


async def _task(live_bot: BotHarness, chat: Chat) -> dict[str, Any]:
    """The chat's only one: a card stands there a moment before its row."""
    (task,) = await live_bot.until(lambda: live_bot.tasks(chat))
    return task


def _kept(task: Mapping[str, Any]) -> dict[str, Any]:
    return {name: task[name] for name in ("state", "user_id", "request", "card_id", "file_id", "detached")}


async def taps_of(live_bot: BotHarness, person: Person, message: Json, forged: Sequence[str]) -> list[str]:
    """All at once; what the bot says to each."""
    chat: Chat = live_bot.world.chat_of(message)
    seen = live_bot.world.view(chat, message, for_bot=True)
    queries = [live_bot.world.callbacks.open(person, chat, seen, data) for data in forged]
    for query in queries:
        live_bot.world.updates.put("callback_query", query)
    return await _answers(live_bot, [query["id"] for query in queries])


async def _answers(live_bot: BotHarness, queries: Sequence[str]) -> list[str]:
    def answers() -> dict[str, str] | None:
        calls = live_bot.server.calls_of("answerCallbackQuery")
        found = {
            call.params["callback_query_id"]: str(call.params.get("text", "")) for call in calls if call.ok
        }
        return found if found.keys() >= set(queries) else None

    found = await live_bot.until(answers)
    assert found is not None
    return [found[query] for query in queries]
