"""What the application does beside its parts."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from bot.app import prune_updates
from bot.errors import StoreError


class FullStore:
    """Refuses once, as on a full disk; then the next prune is the last."""

    def __init__(self) -> None:
        self.asked = 0

    async def prune_updates(self, before: datetime) -> int:
        self.asked += 1
        if self.asked == 1:
            raise StoreError("its disk is full")
        raise asyncio.CancelledError


async def test_a_full_disk_does_not_end_the_forgetting_of_old_updates() -> None:
    store: Any = FullStore()
    with pytest.raises(asyncio.CancelledError):
        await prune_updates(store, every_s=0)
    assert store.asked == 2
