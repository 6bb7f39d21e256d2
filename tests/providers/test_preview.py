"""The preview's own house-keeping; what it draws is tested in `test_media_film.py`."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bot.errors import FetchError
from bot.provider import Failed
from bot.providers.preview import Preview
from bot.request import VideoRequest


async def test_an_old_job_that_somebody_else_forgets_meanwhile_stops_no_submit(tmp_path: Path) -> None:
    (tmp_path / "old").symlink_to(tmp_path / "gone")
    preview = Preview(tmp_path)
    accepted = await preview.submit(VideoRequest(model="preview", prompt="a boat"), (), "boat")
    await preview.close()
    assert accepted.remote_id == "boat"


async def test_a_cancelled_film_stops_and_its_process_ends(tmp_path: Path) -> None:
    preview = Preview(tmp_path)
    (model,) = preview.models
    await preview.submit(VideoRequest(model="preview", prompt="a boat", seconds=10), (), "boat")
    async with asyncio.timeout(60):
        while not (tmp_path / "boat" / "progress").exists():
            await asyncio.sleep(0.01)
    began = time.monotonic()
    assert await preview.cancel("boat", model)
    assert time.monotonic() - began < 2
    assert not any(b"to_process" in Path(f"/proc/{one}/cmdline").read_bytes() for one in _children())
    assert await preview.poll("boat", model) == Failed("not_found")
    assert await preview.cancel("boat", model)
    await preview.close()


async def test_a_film_that_cannot_be_stored_waits_for_room_and_one_that_is_gone_does_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "boat").mkdir()
    (tmp_path / "boat" / "film.mp4").write_bytes(bytes(1000))
    for name, target, code, again in (
        ("boat", "/dev/full", "disk_full", True),
        ("gone", "/dev/null", "link_expired", False),
    ):
        with pytest.raises(FetchError) as refused:
            await Preview(tmp_path).fetch(f"preview:{name}", Path(target))
        assert (refused.value.code, refused.value.again) == (code, again)


def _children() -> list[str]:
    ours = os.getpid()
    return Path(f"/proc/{ours}/task/{ours}/children").read_text(encoding="ascii").split()
