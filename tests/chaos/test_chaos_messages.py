"""A storm of messages in which the bot is killed again and again; `make chaos` begins with fifty kills."""

from __future__ import annotations

from pathlib import Path

from chaos.run import only_messages, run
from chaos.test_chaos import SEED


async def test_every_one_of_200_messages_is_in_the_database_once_and_answered(tmp_path: Path) -> None:
    report = await run(only_messages(SEED, kills=15), tmp_path)
    assert report.wrong == [], report.log
