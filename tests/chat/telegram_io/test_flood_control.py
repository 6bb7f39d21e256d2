"""Flood control: ten messages in ten seconds are taken, the next gets a sentence, the rest is dropped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from bot.chat.telegram_io.flood_control import MESSAGES, WITHIN, FloodControl, Verdict

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CHAT, ADA, BORIS = -10, 1, 2


class Talk:
    """Updates, each with a number of its own."""

    def __init__(self) -> None:
        self.calm = FloodControl(MESSAGES)
        self.ids = count(1)

    def says(self, many: int = 1, *, after_s: float = 0, who: int = ADA, where: int = CHAT) -> list[Verdict]:
        at = NOW + timedelta(seconds=after_s)
        return [self.calm.check(where, who, next(self.ids), at) for _ in range(many)]


def test_what_is_over_the_bound_is_told_once_and_then_dropped() -> None:
    assert Talk().says(100) == ["take"] * MESSAGES + ["tell"] + ["drop"] * (100 - MESSAGES - 1)


def test_one_message_a_second_is_always_taken() -> None:
    talk = Talk()
    assert {verdict for second in range(100) for verdict in talk.says(after_s=second)} == {"take"}


def test_who_pauses_is_listened_to_again() -> None:
    talk = Talk()
    talk.says(100)
    assert talk.says(after_s=WITHIN.total_seconds()) == ["take"]


def test_who_never_pauses_is_not_listened_to_and_told_once_a_minute() -> None:
    talk = Talk()
    verdicts = [verdict for tenth in range(1200) for verdict in talk.says(after_s=tenth / 10)]
    assert verdicts.count("take") == MESSAGES
    assert verdicts.count("tell") == 2


def test_nobody_else_and_no_other_chat_is_meant() -> None:
    talk = Talk()
    talk.says(100)
    assert talk.says(MESSAGES, who=BORIS) == ["take"] * MESSAGES
    assert talk.says(MESSAGES, where=-20) == ["take"] * MESSAGES


def test_the_same_update_again_gets_the_same_verdict() -> None:
    calm = FloodControl(MESSAGES)
    weighed = [[calm.check(CHAT, ADA, number, NOW) for _ in range(3)] for number in range(1, MESSAGES + 3)]
    assert weighed == [["take"] * 3] * MESSAGES + [["tell"] * 3, ["drop"] * 3]


def test_messages_of_an_outage_are_weighed_by_when_they_were_sent() -> None:
    talk = Talk()
    assert {verdict for minute in range(60) for verdict in talk.says(after_s=60 * minute)} == {"take"}


def test_an_album_counts_once_and_is_taken_or_left_as_a_whole() -> None:
    calm = FloodControl(MESSAGES)
    albums = [
        [calm.check(CHAT, ADA, 10 * one + part, NOW, f"{one}") for part in range(10)] for one in range(12)
    ]
    assert albums[:MESSAGES] == [["take"] * 10] * MESSAGES
    assert albums[MESSAGES:] == [["tell"] + ["drop"] * 9, ["drop"] * 10]


def test_a_thousand_others_later_it_is_forgotten() -> None:
    talk = Talk()
    talk.says(100)
    for someone in range(1000, 2000):
        talk.says(who=someone)
    assert talk.says() == ["take"]
