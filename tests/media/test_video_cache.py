"""The shelf: nothing is left beside the videos, and what happens to one harms no other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from media_samples import MADE

from bot.errors import FetchError
from bot.media.video_cache import VideoCache

Fetch = Callable[[str, Path], Awaitable[None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "videos"


@pytest.fixture
def fetch(clip: Path) -> Fetch:
    async def copy(_: str, target: Path) -> None:
        shutil.copyfile(clip, target)

    return copy


async def test_what_a_killed_process_left_is_removed_with_the_next_attempt(folder: Path) -> None:
    async def broken(_: str, target: Path) -> None:
        target.with_name("boat.raw.part").touch()
        target.with_name("boat.ready.part").touch()
        raise FetchError("link_expired", again=False)

    with pytest.raises(FetchError):
        await VideoCache(folder).put("boat", broken, "", MADE)
    assert list(folder.iterdir()) == []


async def test_a_video_that_is_delivered_while_the_shelf_is_counted_harms_no_other(
    folder: Path, fetch: Fetch
) -> None:
    folder.mkdir()
    (folder / "kite.mp4").symlink_to(folder / "gone")
    video = await VideoCache(folder).put("boat", fetch, "", MADE)
    assert video.path.exists()


async def test_the_shelf_knows_whose_videos_it_has(folder: Path, fetch: Fetch) -> None:
    video_cache = VideoCache(folder)
    assert video_cache.kept() == []
    for name in ("kite", "boat"):
        await video_cache.put(name, fetch, "", MADE)
    assert video_cache.kept() == ["boat", "kite"]
    video_cache.discard("kite")
    assert video_cache.kept() == ["boat"]


async def test_the_oldest_go_first_and_the_newest_stays_whatever_its_size(folder: Path, fetch: Fetch) -> None:
    roomy = VideoCache(folder)
    for age, name in enumerate(("kite", "boat")):
        video = await roomy.put(name, fetch, "", MADE)
        os.utime(video.path, (1000 - age, 1000 - age))
    two = sum(path.stat().st_size for path in folder.glob("*.mp4"))
    await VideoCache(folder, keep_bytes=two).put("leaf", fetch, "", MADE)
    assert sorted(path.name for path in folder.iterdir()) == ["kite.jpg", "kite.mp4", "leaf.jpg", "leaf.mp4"]
    await VideoCache(folder, keep_bytes=1).put("bird", fetch, "", MADE)
    assert sorted(path.name for path in folder.iterdir()) == ["bird.jpg", "bird.mp4"]
