"""Sending rates: what goes at once, what waits and for how long, and that no window ever holds too much."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fakes import NOW, Clock
from hypothesis import given
from hypothesis import strategies as st

from bot.send_rates import TELEGRAM, Delay, MemoryRateStore, Urgency, decide, keys_of

ADA, BORIS, GROUP = 10, 11, -20
MESSAGES = [Urgency.FIRST, Urgency.NEXT]


def go(times: dict[str, datetime], chat_id: int, urgency: Urgency, now: datetime) -> Delay:
    """One call asks, and is counted where it may go. Only what a store would have read is known."""
    delay, changed = decide(
        {key: times[key] for key in keys_of(chat_id) if key in times}, chat_id, urgency, now
    )
    assert set(changed) <= set(keys_of(chat_id))
    times.update(changed)
    return delay


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ADA, BORIS, GROUP, *range(100, 130)]),
            st.sampled_from(list(Urgency)),
            st.floats(0, 0.3),
        ),
        max_size=300,
    )
)
def test_no_window_ever_holds_more_than_telegram_takes(asked: list[tuple[int, Urgency, float]]) -> None:
    times: dict[str, datetime] = {}
    sent: list[tuple[float, int]] = []
    at = 0.0
    for chat_id, urgency, pause_s in asked:
        at += pause_s
        if (
            go(times, chat_id, urgency, NOW + timedelta(seconds=at)).is_over
            and urgency is not Urgency.UNCOUNTED
        ):
            sent.append((at, chat_id))
    for at, chat_id in sent:
        after = [(later, to) for later, to in sent if at <= later]
        assert sum(later < at + 1.0 for later, _ in after) < 30
        mine = [later for later, to in after if to == chat_id]
        assert all(len([one for one in mine if one < at + s]) <= s + 6 for s in range(1, 10))
        if chat_id < 0:
            assert sum(later < at + 60.0 for later in mine) < 20


@given(st.sampled_from([ADA, GROUP]), st.sampled_from(list(Urgency)), st.integers(0, 80))
def test_who_asks_again_when_told_to_goes(chat_id: int, urgency: Urgency, before: int) -> None:
    times: dict[str, datetime] = {}
    for number in range(before):
        go(times, ADA if number % 2 else chat_id, Urgency.NEXT, NOW + timedelta(seconds=number / 30))
    now = NOW + timedelta(seconds=before / 30)
    delay = go(times, chat_id, urgency, now)
    if not delay.is_over:
        wait_s = max(delay.chat_s, delay.all_s)
        assert not go(dict(times), chat_id, urgency, now + timedelta(seconds=wait_s * 0.9)).is_over
        assert go(times, chat_id, urgency, now + timedelta(seconds=wait_s + 1e-5)).is_over


@pytest.mark.parametrize("urgency", MESSAGES)
def test_a_chat_takes_a_short_burst_then_one_a_second(urgency: Urgency) -> None:
    times: dict[str, datetime] = {}
    sent = [s / 10 for s in range(50) if go(times, ADA, urgency, NOW + timedelta(seconds=s / 10)).is_over]
    assert sent == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 2.0, 3.0, 4.0]
    assert go(times, BORIS, urgency, NOW + timedelta(seconds=5)) == Delay()


def test_a_group_lets_five_through_then_fourteen_a_minute() -> None:
    times: dict[str, datetime] = {}
    sent = [s for s in range(61) if go(times, GROUP, Urgency.NEXT, NOW + timedelta(seconds=s)).is_over]
    assert len(sent) == 19
    assert sent[:5] == [0, 1, 2, 3, 4]


def test_progress_always_leaves_a_burst_for_an_outcome() -> None:
    times: dict[str, datetime] = {}
    for second in range(60):
        now = NOW + timedelta(seconds=second)
        for chat_id in (GROUP, *range(100, 140)):
            go(times, chat_id, Urgency.LOW, now)
        outcomes = [go(dict(times), chat_id, Urgency.FIRST, now) for chat_id in (GROUP, 100, 139)]
        assert outcomes == [Delay(), Delay(), Delay()]


def test_progress_goes_only_where_nothing_was_said_just_before() -> None:
    times: dict[str, datetime] = {}
    go(times, ADA, Urgency.FIRST, NOW)
    assert go(times, ADA, Urgency.LOW, NOW) == Delay(chat_s=1.0, all_s=0.04)
    assert go(times, ADA, Urgency.LOW, NOW + timedelta(seconds=1)) == Delay()


def test_what_fills_all_chats_says_so() -> None:
    times: dict[str, datetime] = {}
    waits = [go(times, chat_id, Urgency.FIRST, NOW) for chat_id in range(100, 105)]
    assert waits[:4] == [Delay()] * 4
    assert waits[4].chat_s == 0.0
    assert waits[4].all_s == pytest.approx(0.04)


async def test_a_pause_silences_its_chat_alone_and_to_the_second() -> None:
    pace, clock = MemoryRateStore(), Clock()
    await pace.pause_chat(ADA, clock() + timedelta(seconds=30))
    for urgency in Urgency:
        assert (await pace.take_turn(ADA, urgency, clock(), TELEGRAM)).chat_s == 30.0
        assert (await pace.take_turn(ADA + 1 + urgency, urgency, clock(), TELEGRAM)).chat_s == 0.0
        clock.advance(1)
        await pace.pause_chat(ADA, clock() + timedelta(seconds=30))
    clock.advance(30)
    assert await pace.take_turn(ADA, Urgency.FIRST, clock(), TELEGRAM) == Delay()


async def test_a_clock_that_is_set_back_silences_nobody() -> None:
    pace, clock = MemoryRateStore(), Clock()
    for _ in range(3):
        await pace.take_turn(GROUP, Urgency.FIRST, clock(), TELEGRAM)
    clock.advance(-3600)
    delay = await pace.take_turn(GROUP, Urgency.FIRST, clock(), TELEGRAM)
    assert delay.chat_s == pytest.approx(TELEGRAM.one_group.interval_s)
    assert delay.all_s == pytest.approx(TELEGRAM.all_chats.interval_s)


async def test_chats_that_are_silent_are_forgotten() -> None:
    pace, clock = MemoryRateStore(), Clock()
    for chat_id in range(10_000):
        await pace.take_turn(chat_id, Urgency.FIRST, clock(), TELEGRAM)
        clock.advance(0.05)
    assert len(pace) <= 4096
