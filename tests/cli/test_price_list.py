"""`python -m bot prices` says what each choice costs."""

from __future__ import annotations

from bot.cli.prices import price_lines
from bot.prices import read_prices
from bot.providers.jiekou_products import PRODUCTS


def lines(name: str, prices: str) -> list[str]:
    return list(price_lines(PRODUCTS[name].model, read_prices(prices), "USD"))


def test_each_choice_has_a_line_and_what_has_no_price_says_so() -> None:
    assert lines("hailuo-2.3", "hailuo-2.3:768p=0.28,hailuo-2.3:768p:10s=0.56") == [
        "hailuo-2.3 · 6 s · 768p: 0.28 USD",
        "hailuo-2.3 · 6 s · 1080p: no price",
        "hailuo-2.3 · 10 s · 768p: 0.56 USD",
    ]


def test_references_and_off_peak_stand_only_where_they_cost_something_else() -> None:
    plain = lines("veo-3.1", "veo-3.1=0.20/s")
    assert not [line for line in plain if "references" in line]
    dear = lines("veo-3.1", "veo-3.1=0.20/s,veo-3.1:references=2")
    assert "veo-3.1 · 8 s · 720p · silent · with references: 2 USD" in dear
    later = lines("vidu-q3", "vidu-q3=1,vidu-q3:off-peak=0.5")
    assert "vidu-q3 · 5 s · 720p · sound · off-peak: 0.5 USD" in later


def test_sound_that_stays_on_is_no_silence() -> None:
    assert all(" · sound: " in line for line in lines("grok", "grok:sound=0.05/s"))
