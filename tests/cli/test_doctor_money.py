"""The doctor on money: a typing error in the prices, and what a budget leaves out."""

from __future__ import annotations

import pytest
from every_model import WITH_LINKS

from bot.cli.doctor.finding import Finding
from bot.cli.doctor.money import judge_prices
from bot.settings import IsolatedSettings


def judge(**values: str) -> list[Finding]:
    return judge_prices(IsolatedSettings.model_validate(values), WITH_LINKS)


def test_prices_of_what_is_set_up_are_well() -> None:
    (found,) = judge(model_prices=",".join(f"{name}=1" for name in WITH_LINKS), currency="€")
    assert (found.state, found.seen) == ("ok", f"For {', '.join(WITH_LINKS)}, in €.")
    assert judge() == []


def test_what_has_no_price_is_named_though_it_does_no_harm() -> None:
    others = ",".join(f"{name}=1" for name in WITH_LINKS if name not in ("veo-3", "jimeng-pro"))
    (found,) = judge(model_prices=f"{others},veo-3:1080p=2")
    assert found.state == "ok"
    assert found.seen.endswith(
        "Missing for some or all options of jimeng-pro, veo-3: their cards show no price."
    )


@pytest.mark.parametrize(
    ("prices", "seen", "mend"),
    [
        (
            "jimeng-por=1",
            "MODEL_PRICES names jimeng-por, which is not set up here.",
            "Did you mean jimeng-pro?",
        ),
        ("sora=1", "MODEL_PRICES names sora, which is not set up here.", "These are set up: "),
        ("veo-3:4k=1", "a price for veo-3:4k, which that model does not make.", "It makes 720p, 1080p, "),
        ("jimeng-pro:sound=1", "a price for jimeng-pro:sound, which", "It makes 1080p, 5s, 10s, silent."),
        ("kling-3.0:silent:references=1", "a price for kling-3.0:silent:references, which", ""),
        ("veo-3:7s=1", "a price for veo-3:7s, which", ", 4s, 6s, 8s, "),
        ("veo-3:off-peak=1", "a price for veo-3:off-peak, which", "sound."),
        # A combination that it excludes, of what it has each.
        ("veo-3.1:4s:references=1", "a price for veo-3.1:4s:references, which", "references."),
        (
            "veo-3=1,veo-3:silent=2,veo-3:sound=3",
            "The price for veo-3 in MODEL_PRICES never counts.",
            "remove",
        ),
    ],
)
def test_a_price_for_what_is_not_there_is_named(prices: str, seen: str, mend: str) -> None:
    found = judge(model_prices=prices)[0]
    assert found.state == "warning"
    assert seen in found.seen
    assert mend in found.mend


def test_a_length_or_a_reference_without_a_price_is_missing() -> None:
    others = ",".join(f"{name}=1" for name in WITH_LINKS if name != "veo-3.1")
    for entries in ("veo-3.1:8s=1", "veo-3.1:references=1"):
        (found,) = judge(model_prices=f"{others},{entries}", daily_budget="20")
        assert "have no price: veo-3.1." in found.seen
        assert "python -m bot prices" in found.mend


def test_every_price_that_can_count_is_taken_as_well() -> None:
    words = "veo-3.1:references=3,veo-3.1:8s=2,veo-3.1:720p=1,veo-3.1=0.1/s"
    others = ",".join(f"{name}=1" for name in WITH_LINKS if name != "veo-3.1")
    (found,) = judge(model_prices=f"{others},{words}", daily_budget="20")
    assert found.state == "ok"


def test_a_budget_names_the_models_that_it_shuts_out() -> None:
    priced = ",".join(f"{name}=1" for name in WITH_LINKS if name not in ("veo-3", "jimeng-pro"))
    (found,) = judge(model_prices=f"{priced},veo-3:1080p=2", daily_budget="20")
    assert "no price: jimeng-pro, veo-3." in found.seen or "no price: veo-3, jimeng-pro." in found.seen
    assert [one.state for one in judge(model_prices=f"{priced},veo-3:1080p=2")] == ["ok"]
