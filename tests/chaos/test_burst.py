"""Telegram's limits are kept: many chats finish at once, and it never has to say so."""

from __future__ import annotations

from pathlib import Path

from burst import burst

CHATS = 40


async def test_many_that_finish_at_once_are_all_shown_in_order_and_provoke_no_429(tmp_path: Path) -> None:
    """The same with 300 chats: `python benchmarks/rates.py`."""
    seen = await burst(tmp_path, CHATS, over_s=0.0, poll_s=0.5)
    assert seen.refused == []
    assert set(seen.videos.values()) == {1}
    assert len(seen.videos) == CHATS
    assert seen.most_in(1.0) <= 30
