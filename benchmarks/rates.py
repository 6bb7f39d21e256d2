"""Telegram's sending rates: how long a burst makes people wait, and what Telegram says without the limiter.

`python benchmarks/rates.py` takes about five minutes. 300 people order a video each; then all jobs end within
a minute, or all at once. The Telegram of this machine keeps the limits: 30 messages and edits a second in
all, one a second in a chat after a burst of ten. The bot, that Telegram and the provider share one process.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from burst import Burst, burst
from running import UNHURRIED

from bot.log import set_up_logs
from bot.send_rates import TELEGRAM, Limits

CHATS = 300
POLL_S = 3.0
"""The longest time between two polls of a job: it is part of what people wait."""
COLUMNS = (
    "",
    "429s",
    "shown",
    "most in 1 s",
    "last after",
    "wait p50",
    "p99",
    "longest",
    "edits of progress",
)


def main() -> None:
    set_up_logs("error", "text", [])
    print(f"{CHATS} chats; seconds")
    print(" | ".join(COLUMNS))
    for name, over_s, limits in (
        ("within a minute", 60.0, TELEGRAM),
        ("at once", 0.0, TELEGRAM),
        ("within a minute, no gate", 60.0, UNHURRIED),
    ):
        print(" | ".join([name, *_figures(_measure(over_s, limits))]), flush=True)


def _measure(over_s: float, limits: Limits) -> Burst:
    with tempfile.TemporaryDirectory(prefix="rates-") as folder:
        return asyncio.run(burst(Path(folder), CHATS, over_s, poll_s=POLL_S, limits=limits))


def _figures(seen: Burst) -> list[str]:
    waits = sorted(seen.waits_s)
    progress = [call for call in seen.calls if call.method == "editMessageText" and call.ok]
    return [
        str(len(seen.refused)),
        f"{sum(number == 1 for number in seen.videos.values())} once",
        str(seen.most_in(1.0)),
        f"{seen.took_s:.1f}",
        f"{statistics.median(waits):.1f}",
        f"{waits[int(0.99 * len(waits))]:.1f}",
        f"{waits[-1]:.1f}",
        str(len(progress)),
    ]


if __name__ == "__main__":
    main()
