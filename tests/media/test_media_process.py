"""Heavy work in processes of its own: results, errors, time limits, and that nothing outlives the program."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.errors import MediaError
from bot.media import process
from bot.media.memory import machine_memory
from bot.media.process import run_in_process


def double(number: int) -> int:
    return 2 * number


def my_process() -> int:
    return os.getpid()


def refuse(side: int) -> None:
    raise MediaError("photo_too_small", "as told", min_side=side)


def fail() -> None:
    raise ZeroDivisionError("a defect")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def linger(told: Path) -> None:
    told.write_text(str(os.getpid()))
    time.sleep(60)


def interrupt_the_family() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    return "still here"


def note_meeting(folder: Path) -> int:
    """How many work at once, seen from one of them."""
    mine = folder / str(os.getpid())
    mine.touch()
    time.sleep(0.05)
    count = len(list(folder.iterdir()))
    mine.unlink()
    return count


async def refusal(work: asyncio.Future[object] | object) -> MediaError:
    with pytest.raises(MediaError) as caught:
        await work  # type: ignore[misc]  # whatever run_in_process gives
    return caught.value


async def test_work_happens_elsewhere_and_its_result_comes_home() -> None:
    assert await run_in_process(double, 21, limit_s=30) == 42
    assert await run_in_process(my_process, limit_s=30) != os.getpid()


async def test_a_refusal_arrives_as_it_was_raised() -> None:
    error = await refusal(run_in_process(refuse, 320, limit_s=30))
    assert (error.code, error.detail, error.values) == ("photo_too_small", "as told", {"min_side": 320})


async def test_a_defect_arrives_with_its_traceback_for_the_log() -> None:
    error = await refusal(run_in_process(fail, limit_s=30))
    assert error.code == "media_crashed"
    assert "ZeroDivisionError" in error.detail
    assert "in fail" in error.detail


async def test_a_process_that_dies_is_reported_and_replaced() -> None:
    assert (await refusal(run_in_process(die, limit_s=30))).code == "media_crashed"
    assert await run_in_process(double, 1, limit_s=30) == 2


async def test_the_time_limit_kills(tmp_path: Path) -> None:
    told = tmp_path / "told"
    await run_in_process(double, 1, limit_s=30)  # the process is warm: the limit below is the work's own
    error = await refusal(run_in_process(linger, told, limit_s=1))
    assert error.code == "media_timeout"
    assert _is_gone(int(told.read_text()))


async def test_cancelling_kills(tmp_path: Path) -> None:
    told = tmp_path / "told"
    work = asyncio.create_task(run_in_process(linger, told, limit_s=60))
    worker = await asyncio.to_thread(_wait_for_pid, told)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert _is_gone(worker)


async def test_signals_to_the_whole_group_leave_the_work_alone() -> None:
    assert await run_in_process(interrupt_the_family, limit_s=30) == "still here"


async def test_there_is_never_more_work_than_processors(tmp_path: Path) -> None:
    seen = await asyncio.gather(*(run_in_process(note_meeting, tmp_path, limit_s=30) for _ in range(8)))
    assert max(seen) <= len(os.sched_getaffinity(0))


async def test_files_of_people_hold_up_nothing_else(tmp_path: Path) -> None:
    slow = [
        asyncio.create_task(run_in_process(linger, tmp_path / f"{number}", limit_s=60, foreign=True))
        for number in range(process.foreign_at_once(machine_memory()) + 1)
    ]
    for number in range(process.foreign_at_once(machine_memory())):
        await asyncio.to_thread(_wait_for_pid, tmp_path / f"{number}")
    assert await asyncio.gather(*(run_in_process(double, number, limit_s=30) for number in range(4))) == [
        0,
        2,
        4,
        6,
    ]
    assert not any(work.done() for work in slow)
    assert len(list(tmp_path.iterdir())) == process.foreign_at_once(machine_memory())
    for work in slow:
        work.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.media.process import run_in_process
from test_media_process import linger, my_process

async def main():
    idle = await run_in_process(my_process, limit_s=30)
    print(idle, flush=True)
    if sys.argv[1] == "leave":
        return
    await run_in_process(linger, Path(sys.argv[1]), limit_s=60)

asyncio.run(main())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A package that is started as `python -m`, as the bot is."""
    package = tmp_path / "program"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(f'if __name__ == "__main__":\n    exec({PROGRAM!r})\n')
    return tmp_path


def _started(program: Path, argument: str) -> subprocess.Popen[str]:
    places = (str(program), str(Path(__file__).parent), str(Path(process.__file__).parents[2]))
    return subprocess.Popen(
        [sys.executable, "-m", "program", argument],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    )


def test_no_process_stays_after_a_normal_end(program: Path) -> None:
    with _started(program, "leave") as running:
        assert running.stdout is not None
        worker = int(running.stdout.readline())
        assert running.wait(30) == 0
    assert _is_gone(worker)


def test_a_worker_loads_nothing_of_the_program_that_started_it(program: Path) -> None:
    main = program / "program" / "__main__.py"
    main.write_text(f"open({str(program / 'loaded')!r}, 'a').write(__name__ + ' ')\n" + main.read_text())
    with _started(program, "leave") as running:
        assert running.wait(30) == 0
    assert (program / "loaded").read_text() == "__main__ "


@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_process_stays_when_the_program_is_ended_at_work(program: Path, blow: signal.Signals) -> None:
    told = program / "told"
    with _started(program, str(told)) as running:
        worker = _wait_for_pid(told)
        running.send_signal(blow)
        running.wait(30)
    assert _is_gone(worker)


def _wait_for_pid(told: Path, limit_s: float = 30) -> int:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if told.exists() and (text := told.read_text()):
            return int(text)
        time.sleep(0.01)
    raise AssertionError("the work never began")


def _is_gone(pid: int, limit_s: float = 10) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # ended, and not yet collected by whoever inherited it
            return True
        time.sleep(0.01)
    return False
