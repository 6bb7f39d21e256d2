"""Chaos in small: random kills and faults, and books that balance. `make chaos` does the same for minutes."""

from __future__ import annotations

import os
from pathlib import Path

from chaos.mutations import mutations
from chaos.run import Plan, run

SEED = int(os.environ.get("CHAOS_SEED", "20"))


async def test_whatever_dies_or_fails_the_books_balance(tmp_path: Path) -> None:
    report = await run(Plan(SEED, requests=30, kills=8, stops=1), tmp_path)
    assert report.wrong == [], report.log


def test_each_way_to_break_the_bot_on_purpose_still_fits_it() -> None:
    """`make mutations` sees that each is noticed."""
    assert [one.name for one in mutations() if not one.fits()] == []
