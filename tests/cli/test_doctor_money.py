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
        ("veo-3:4k=1", "a price for veo-3 in 4k, which it does not make.", "It makes 720p, 1080p."),
        ("jimeng-pro:sound=1", "a price for jimeng-pro with sound, which it does not make.", ""),
    ],
)
def test_a_price_for_what_is_not_there_is_named(prices: str, seen: str, mend: str) -> None:
    (found,) = judge(model_prices=prices)
    assert found.state == "warning"
    assert seen in found.seen
    assert mend in found.mend


def test_a_budget_names_the_models_that_it_shuts_out() -> None:
    priced = ",".join(f"{name}=1" for name in WITH_LINKS if name not in ("veo-3", "jimeng-pro"))
    (found,) = judge(model_prices=f"{priced},veo-3:1080p=2", daily_budget="20")
    assert "no price: jimeng-pro, veo-3." in found.seen or "no price: veo-3, jimeng-pro." in found.seen
    assert [one.state for one in judge(model_prices=f"{priced},veo-3:1080p=2")] == ["ok"]
