"""Fixtures that several files share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
from fakes import Clock, House, ScriptedProvider
from media_samples import Clip

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


@pytest.fixture
def provider(clip: Path) -> ScriptedProvider:
    return ScriptedProvider(clip)


@pytest.fixture
def house(store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path) -> House:
    return House(store, provider, clock, tmp_path)
