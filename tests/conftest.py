"""Fixtures that several files share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from fakes import Clock, ScriptedProvider, WorkerHarness
from media_samples import Clip
from postgres_server import OLDEST, PostgresServer, find_binaries
from running import BotHarness, bot_on_stage

from bot.stores.sqlite import SQLiteStore

# The same examples every time, and no haste on a machine that is busy with other things.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real MP4 without sound, as providers send them."""
    return Clip().write(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[SQLiteStore]:
    opened = await SQLiteStore.open(tmp_path / "dreamreel.db", clock)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this run's own, for everybody."""
    with _postgres(durable=False) as server:
        yield server


@pytest.fixture
def fragile() -> Iterator[PostgresServer]:
    """One for a test alone, to be stopped and started, that keeps its promises to the disk."""
    with _postgres(durable=True) as server:
        yield server


@contextmanager
def _postgres(*, durable: bool) -> Iterator[PostgresServer]:
    binaries = find_binaries()
    if binaries is None:
        missing = f"PostgreSQL {OLDEST} or newer is not installed (apt install postgresql)"
        if os.environ.get("DREAMREEL_REQUIRE_POSTGRES"):
            pytest.fail(missing)
        pytest.skip(missing)
    server = PostgresServer(binaries, durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def provider(clip: Path) -> ScriptedProvider:
    return ScriptedProvider(clip)


@pytest.fixture
def harness(store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path) -> WorkerHarness:
    return WorkerHarness(store, provider, clock, tmp_path)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """The whole bot between a sandbox and a provider's server, for a file of tests."""
    async with bot_on_stage(tmp_path_factory.mktemp("bot")) as made:
        yield made


@pytest.fixture
def live_bot(shared_stage: BotHarness) -> Iterator[BotHarness]:
    """The shared bot. Each test brings people of its own, and leaves no fault and nothing to complain of."""
    yield shared_stage
    shared_stage.server.faults.clear()
    assert shared_stage.world.complaints == []
    assert shared_stage.provider.complaints == []
    heard = b"".join(
        f"{call.query}{call.headers}".encode() + call.body for call in shared_stage.provider.received
    )
    assert shared_stage.server.token.encode() not in heard, "nobody but Telegram ever gets the token"
