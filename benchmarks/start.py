"""The start: how long until the bot is up, how much of the processor it takes, and what memory it holds then.

`python benchmarks/start.py` starts the bot eleven times, each in a process of its own with a Telegram of this
machine, everything switched on; the first start makes the database. Linux alone. In under a minute. To reach:
up in 1.5 s, idle below 90 MB.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from running import BotHarness, bot_process, stage

_STARTS = 11
_IDLE_S = 2.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> None:
    async with stage(folder) as there:
        rows = [await _start(there) for _ in range(_STARTS)]
    first, later = rows[0], rows[1:]
    print(f"{'':12}{'up, s':>12}{'processor, s':>14}{'memory, MB':>12}")
    _print("first", first)
    _print("median", [statistics.median(column) for column in zip(*later, strict=True)])
    _print("worst", [max(column) for column in zip(*later, strict=True)])


async def _start(there: BotHarness) -> list[float]:
    """Seconds until it is up, seconds of the processor until then, megabytes once it idles."""
    values = there.values(private_port="0", alert_chat="-100", geekai_api_key="k", jiekou_api_key="k")
    began = time.monotonic()
    async with bot_process(there.folder, values) as bot:
        up_s, cpu_s = time.monotonic() - began, _cpu_s(bot.pid)
        await asyncio.sleep(_IDLE_S)
        return [up_s, cpu_s, _memory_mb(bot.pid)]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100  # ticks of a hundredth, in user and in system mode


def _memory_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def _print(name: str, row: list[float]) -> None:
    print(f"{name:12}{row[0]:12.2f}{row[1]:14.2f}{row[2]:12.1f}")


if __name__ == "__main__":
    main()
