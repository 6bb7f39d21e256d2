"""The store of several machines, for a run: a server of its own, which is restarted once in the middle."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer
from running import BotHarness

from chaos.run import StoreUnderTest


class PostgresUnderTest(StoreUnderTest):
    """`restart_before`: the kill before which the database is shut down and started again; None for never."""

    def __init__(self, server: PostgresServer, url: str, restart_before: int | None = None) -> None:
        self._server = server
        self._url = url
        self._kills_until_restart = restart_before
        self.restarts = 0

    def settings(self, folder: Path) -> dict[str, str]:
        return {"database_url": self._url}

    def rows(self, stage: BotHarness, table: str) -> Sequence[dict[str, Any]]:
        order = {"tasks": "place", "updates": "update_id"}[table]
        text = self._server.ask(self._url, f"SELECT json_agg(t ORDER BY {order}) FROM {table} t")
        return json.loads(text) if text else []

    def leases(self, stage: BotHarness) -> int:
        text = self._server.ask(
            self._url,
            "SELECT (SELECT count(*) FROM tasks WHERE leased_by IS NOT NULL)"
            " + (SELECT count(*) FROM updates WHERE leased_by IS NOT NULL AND state = 'open')",
        )
        return int(text)

    async def disturb(self, rng: random.Random) -> None:
        if self._kills_until_restart is None:
            return
        self._kills_until_restart -= 1
        if self._kills_until_restart == 0:
            self.restarts += 1
            await asyncio.to_thread(self._server.halt, rng.choice([signal.SIGINT, signal.SIGQUIT]))
            await asyncio.to_thread(self._server.start)
