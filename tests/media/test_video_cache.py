"""The video cache: nothing is left beside the videos, and what happens to one harms no other."""

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
    assert sorted(path.name for path in folder.glob("*.*")) == [
        "kite.jpg",
        "kite.mp4",
        "leaf.jpg",
        "leaf.mp4",
    ]
    await VideoCache(folder, keep_bytes=1).put("bird", fetch, "", MADE)
    assert sorted(path.name for path in folder.glob("*.*")) == ["bird.jpg", "bird.mp4"]


async def test_an_original_outlives_the_delivery_and_goes_first_when_room_is_needed(
    folder: Path, fetch: Fetch, clip: Path
) -> None:
    video_cache = VideoCache(folder)
    await video_cache.put("kite", fetch, "", MADE)
    video_cache.delivered("kite")
    original = await video_cache.original("kite", None, None)
    assert original is not None
    assert original.read_bytes() == clip.read_bytes()
    assert video_cache.kept() == ["kite"]
    await VideoCache(folder, keep_bytes=1).put("boat", fetch, "", MADE)
    assert await video_cache.original("kite", None, None) is None
    assert (folder / "boat.mp4").exists()


async def test_an_original_is_kept_for_a_day(folder: Path, fetch: Fetch) -> None:
    video_cache = VideoCache(folder)
    for name, days in (("kite", 1.1), ("boat", 0.9)):
        await video_cache.put(name, fetch, "", MADE)
        at = (folder / f"{name}.mp4").stat().st_mtime - days * 86_400
        os.utime(folder / "originals" / f"{name}.mp4", (at, at))
    await video_cache.put("leaf", fetch, "", MADE)
    assert sorted(path.stem for path in (folder / "originals").iterdir()) == ["boat", "leaf"]


async def test_of_a_file_that_was_sent_as_it_came_no_original_is_kept(
    folder: Path, fetch: Fetch, tmp_path: Path
) -> None:
    first = await VideoCache(tmp_path / "first").put("kite", fetch, "", MADE)

    async def playable(_: str, target: Path) -> None:
        shutil.copyfile(first.path, target)

    video_cache = VideoCache(folder)
    await video_cache.put("kite", playable, "", MADE)
    assert await video_cache.original("kite", None, None) is None
    fetched = await video_cache.original("kite", playable, "link")
    assert fetched is not None
    assert fetched.read_bytes() == first.path.read_bytes()


async def test_shots_of_a_film_stay_however_little_room_there_is(folder: Path, fetch: Fetch) -> None:
    video_cache = VideoCache(folder, keep_bytes=0)
    await video_cache.put("shot", fetch, "", MADE)
    video_cache.hold("shot")
    await video_cache.put("boat", fetch, "", MADE)
    assert video_cache.kept() == ["boat", "shot"]
    held = await video_cache.get("shot")
    assert held is not None
    assert held.thumbnail.exists()
    video_cache.release("shot")
    await video_cache.put("kite", fetch, "", MADE)
    assert video_cache.kept() == ["kite"]
    video_cache.hold("never")


async def test_a_joined_film_is_kept_with_its_original(folder: Path, fetch: Fetch, tmp_path: Path) -> None:
    video_cache = VideoCache(folder)
    made = await video_cache.put("shot", fetch, "", MADE)
    film, picture = tmp_path / "film", tmp_path / "picture"
    shutil.copyfile(made.path, film)
    shutil.copyfile(made.thumbnail, picture)
    video_cache.add("film", film, picture)
    assert await video_cache.get("film") is not None
    video_cache.delivered("film")
    assert await video_cache.get("film") is None
    original = await video_cache.original("film", None, None)
    assert original is not None
    assert original.read_bytes() == made.path.read_bytes()
