"""`docs/models.md` says what the records of the models say."""

from __future__ import annotations

from pathlib import Path

from bot.cli.models import draw_models_page

PAGE = Path(__file__).parents[2] / "docs/models.md"


def test_the_page_is_what_the_command_prints() -> None:
    advice = "Run `python -m bot models > docs/models.md`."
    assert PAGE.read_text(encoding="utf-8") == draw_models_page(), advice
