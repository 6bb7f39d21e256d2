"""Whatever a file asks for, its worker process gets no more memory than the machine has to spare."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from media_samples import Clip, hollow_movie

from bot.errors import MediaError
from bot.media import memory
from bot.media.process import run_in_process

GB = 1_000_000_000
HOSTILE = {
    "240 million frames in 1.4 kB": hollow_movie(samples=80_000_000, tracks=3),
    "frames that nearly fit": hollow_movie(samples=30_000_000, tracks=3),
    "20,000 edits of 12,000 frames": hollow_movie(samples=12_000, edits=20_000),
    "sides of 16,000": hollow_movie(size=(16_000, 16_000)),
}
MEASURE = """
import asyncio, resource, sys
from pathlib import Path
from bot.errors import MediaError
from datetime import UTC, datetime
from bot.media import work
from bot.media.provenance import Provenance
from bot.media.process import run_in_process

async def main():
    hostile, honest, target = map(Path, sys.argv[1:])
    made = Provenance("kling-3", datetime.now(UTC))
    works = {"last_frame": (), "take_video": (target, target, made), "join_videos": (honest, target)}
    for name, args in works.items():
        try:
            await run_in_process(getattr(work, name), hostile, *args, limit_s=8)
        except MediaError as error:
            print(error.code)
    await run_in_process(work.last_frame, honest, limit_s=8)

asyncio.run(main())
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def hoard() -> int:
    return len(bytearray(memory.MOST_BYTES))


def circumstances() -> tuple[str, int]:
    return Path("/proc/self/oom_score_adj").read_text().strip(), len(os.sched_getaffinity(0))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mapped memory is not counted")
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_video_is_refused_in_bounded_memory(data: bytes, tmp_path: Path) -> None:
    hostile, honest = tmp_path / "hostile", Clip(sound="aac").write(tmp_path / "honest")
    hostile.write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(hostile), str(honest), str(tmp_path / "target")],
        capture_output=True,
        text=True,
        check=True,
    )
    *codes, peak_kb = run.stdout.split()
    assert len(codes) == 3
    assert set(codes) <= {"not_a_video", "video_too_large", "media_crashed", "media_timeout"}
    assert int(peak_kb) * 1024 < memory.MOST_BYTES + 100_000_000  # the libraries themselves


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mapped memory is not counted")
async def test_work_that_takes_too_much_memory_fails_and_the_next_works() -> None:
    with pytest.raises(MediaError) as caught:
        await run_in_process(hoard, limit_s=30)
    assert caught.value.code == "media_crashed"
    assert "MemoryError" in caught.value.detail
    assert await run_in_process(abs, -1, limit_s=30) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
async def test_a_worker_ends_before_the_bot_and_starts_few_threads() -> None:
    before = circumstances()
    score, processors = await run_in_process(circumstances, limit_s=30)
    assert (score, processors) == ("1000", min(4, before[1]))
    assert circumstances() == before, "the bot itself stays as it is"


def test_what_workers_may_hold_fits_into_the_machine() -> None:
    for total in (GB // 2, GB, 2 * GB, 4 * GB, 64 * GB):
        each, count = memory.worker_bytes(total), memory.worker_count(32, total)
        assert each <= memory.MOST_BYTES
        assert count == 1 or each * count < total
    assert memory.worker_bytes(GB) == GB - 200_000_000
    assert memory.worker_count(2, GB) == 1
    assert memory.worker_count(2, 4 * GB) == 2
    assert memory.worker_bytes(4 * GB) == memory.MOST_BYTES


def test_the_limit_of_a_container_or_a_service_counts(tmp_path: Path) -> None:
    mine, root = tmp_path / "cgroup", tmp_path / "groups"
    service = root / "system.slice" / "dreamreel.service"
    service.mkdir(parents=True)
    (service / "memory.max").write_text("900000000\n")
    (service.parent / "memory.max").write_text("max\n")
    mine.write_text("0::/system.slice/dreamreel.service\n")
    assert memory.cgroup_limits(mine, root) == [900_000_000]
    (root / "memory.max").write_text("800000000\n")
    assert memory.cgroup_limits(mine, root) == [900_000_000, 800_000_000]
    mine.write_text("0::/\n")
    assert memory.cgroup_limits(mine, root) == [800_000_000]
    assert memory.cgroup_limits(tmp_path / "none", root) == []
