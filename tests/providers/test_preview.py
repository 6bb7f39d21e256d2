"""The preview's own house-keeping; what it draws is tested in `test_media_film.py`."""

from __future__ import annotations

from pathlib import Path

from bot.providers.preview import Preview
from bot.request import VideoRequest


async def test_an_old_job_that_somebody_else_forgets_meanwhile_stops_no_submit(tmp_path: Path) -> None:
    (tmp_path / "old").symlink_to(tmp_path / "gone")
    preview = Preview(tmp_path)
    accepted = await preview.submit(VideoRequest(model="preview", prompt="a boat"), (), "boat")
    await preview.close()
    assert accepted.remote_id == "boat"
