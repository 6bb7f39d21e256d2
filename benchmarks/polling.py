"""Polls: how soon a finished video is noticed, for how many polls, beside fixed intervals and backoff.

`python benchmarks/polling.py` prints four tables in a minute or two. A figure is mean lag x mean
polls as a multiple of what the best of all schedules could reach, (∫ sqrt(f S) dt)² / 2, so 1.00 is the limit
and nothing depends on the machine. (The limit is that of many polls: with six a schedule can be up to 0.03
below it.) Every run learns from nothing but its own polls. The schedule that it holds before each task is
judged by all durations that the law may give, not by the one that came, so a few runs give small errors.
"!" marks what misses its target: 1.30 during tasks 21 to 100, 1.12 after 200 (two humps: 1.20), 1.30 in the
second hundred after a change; and no more lag than a fixed interval of as many polls, from the first task on.
The exponential law shows the worst that can happen: there is nothing to learn, and trying to costs something.
"""

from __future__ import annotations

import math
import random
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile
from statistics import NormalDist

from bot.worker.duration_model import Durations, Plan, observed, plan

RUNS = 8
BUDGETS = (6, 8, 12, 16)
WINDOWS = ((0, 20), (20, 100), (100, 200), (200, 300))
TARGETS = (math.inf, 1.3, math.inf, 1.12)
SPECIAL_TARGETS = {"two humps": (math.inf, 1.3, math.inf, 1.2), "60 s, exponential": (math.inf,) * 4}
CHANGE_AFTER = 150
TARGETS_OF_A_CHANGE = (math.inf, math.inf, 1.3)


class Law:
    """A duration's distribution, as 10,000 equally likely durations and the bound."""

    def __init__(self, name: str, cdf: Callable[[float], float]) -> None:
        self.name = name
        grid_s = [math.exp(step / 2000) for step in range(-4000, 20_000)]  # 0.1 s to 6 h
        chances = [cdf(time_s) for time_s in grid_s]
        root = 0.0
        self.durations_s: list[float] = []
        for (start_s, end_s), (below, upto) in zip(pairwise(grid_s), pairwise(chances), strict=True):
            root += math.sqrt((upto - below) * (1 - (below + upto) / 2) * (end_s - start_s))
            while upto > (share := (len(self.durations_s) + 0.5) / 10_000):
                self.durations_s.append(start_s + (end_s - start_s) * (share - below) / (upto - below))
        self.mean_s = statistics.fmean(self.durations_s)
        self.bound = root * root / 2

    def judge(self, polls_s: Iterable[float]) -> Cost:
        lag, polls, seen = 0.0, 0, 0
        for number, poll_s in enumerate(polls_s, 1):
            found = bisect_right(self.durations_s, poll_s) - seen
            seen += found
            lag += found * poll_s
            polls += found * number
            if seen == len(self.durations_s):
                break
        return Cost(lag / seen - self.mean_s, polls / seen)

    @cached_property
    def _fixed(self) -> list[Cost]:
        """Of fixed intervals, from the longest duration down to 0.2 s: ever more polls."""
        steps = range(round(math.log(self.durations_s[-1] / 0.2) / 0.02))
        return [self.judge(every(self.durations_s[-1] * math.exp(-0.02 * step))) for step in steps]

    def fixed(self, polls: float) -> Cost:
        """Of the fixed interval that makes as many polls."""
        after = bisect_left(self._fixed, polls, 1, len(self._fixed) - 1, key=lambda cost: cost.polls)
        few, many = self._fixed[after - 1], self._fixed[after]
        part = (polls - few.polls) / (many.polls - few.polls) if many.polls > few.polls else 0.0
        return Cost(few.lag_s + part * (many.lag_s - few.lag_s), polls)


@dataclass(frozen=True, slots=True)
class Cost:
    lag_s: float
    polls: float

    def score(self, law: Law) -> float:
        return self.lag_s * self.polls / law.bound


def main() -> None:
    laws = _laws()
    _print_learned(laws)
    _print_untaught(laws)
    _print_changes()
    _print_wrong_guesses(laws)


def _laws() -> list[Law]:
    near, far = _lognormal(60, 0.2), _lognormal(180, 0.25)
    return [
        *(Law(f"{s} s, {g}", _lognormal(s, g)) for s in (60, 150) for g in (0.25, 0.5)),
        Law("two humps", lambda time_s: 0.6 * near(time_s) + 0.4 * far(time_s)),
        Law("60 s, exponential", lambda time_s: 1 - math.exp(-time_s / 60)),
    ]


def _lognormal(median_s: float, sigma: float) -> Callable[[float], float]:
    law = NormalDist(math.log(median_s), sigma)
    return lambda time_s: law.cdf(math.log(time_s))


def _print_learned(laws: Sequence[Law]) -> None:
    print(f"\nLearned from its own polls: mean of {RUNS} runs ± standard error")
    columns = ["polls meant", *_names(WINDOWS), "polls made", "lag, s", "fixed, as many", "worst beside it"]
    _print_row("", columns)
    for law in laws:
        targets = SPECIAL_TARGETS.get(law.name, TARGETS)
        for budget in BUDGETS:
            runs = [learn([law] * WINDOWS[-1][1], budget, law.mean_s, run) for run in range(RUNS)]
            settled = _mean(cost for run in runs for cost in run[slice(*WINDOWS[-1])])
            beside = max(_beside_fixed(law, runs, task) for task in range(WINDOWS[-1][1]))
            figures = [
                str(budget),
                *_scores(law, runs, WINDOWS, targets),
                f"{settled.polls:.1f}",
                f"{settled.lag_s:.2f}",
                f"{law.fixed(settled.polls).score(law):.2f}",
                _mark(f"{beside:.2f}", beside > 1),
            ]
            _print_row(law.name, figures)


def _print_untaught(laws: Sequence[Law]) -> None:
    schedules: dict[str, Callable[[], Iterator[float]]] = {
        **{f"every {gap} s": lambda gap=gap: every(gap) for gap in (2, 5, 10)},  # type: ignore[misc]
        "1 s x 1.5, to 30": lambda: backoff(1, 1.5, 30),
        "2 s x 1.3, to 15": lambda: backoff(2, 1.3, 15),
        "1 s x 2, to 60": lambda: backoff(1, 2, 60),
    }
    print("\nSchedules that learn nothing: score (polls, lag in s)")
    _print_row("", list(schedules), 21)
    for law in laws:
        costs = [law.judge(polls()) for polls in schedules.values()]
        figures = [f"{cost.score(law):.2f} ({cost.polls:.1f}, {cost.lag_s:.1f})" for cost in costs]
        _print_row(law.name, figures, 21)


def _print_changes() -> None:
    windows = [
        (CHANGE_AFTER + first, CHANGE_AFTER + last) for first, last in ((0, 20), (20, 100), (100, 200))
    ]
    print(f"\nThe provider becomes slower or faster after {CHANGE_AFTER} tasks; windows count from there")
    _print_row("", ["polls meant", *_names(WINDOWS[:3]), "polls, 1-20", "lag, s, 1-20"])
    before = Law("", _lognormal(60, 0.25))
    for median_s in (120, 30):
        law = Law(f"60 to {median_s} s, 0.25", _lognormal(median_s, 0.25))
        laws = [before] * CHANGE_AFTER + [law] * 200
        for budget in BUDGETS:
            runs = [learn(laws, budget, 60, run) for run in range(RUNS)]
            first = _mean(cost for run in runs for cost in run[slice(*windows[0])])
            scores = _scores(law, runs, windows, TARGETS_OF_A_CHANGE)
            _print_row(law.name, [str(budget), *scores, f"{first.polls:.1f}", f"{first.lag_s:.1f}"])


def _print_wrong_guesses(laws: Sequence[Law]) -> None:
    factors, tasks = (0.25, 0.5, 1, 2, 4), 20
    print(
        f"\nA wrong guess: lag beside a fixed interval of as many polls, worst of {tasks} tasks (their mean)"
    )
    _print_row("guess / truth", ["polls meant", *(f"{factor:g}" for factor in factors)])
    for law in (laws[0], laws[1], laws[4]):  # at 150 s the same as at 60
        for budget in (BUDGETS[0], BUDGETS[-1]):
            figures = []
            for factor in factors:
                runs = [learn([law] * tasks, budget, factor * law.mean_s, run) for run in range(4 * RUNS)]
                beside = [_beside_fixed(law, runs, task) for task in range(tasks)]
                worst = max(beside)
                figures.append(_mark(f"{worst:.2f} ({statistics.fmean(beside):.2f})", worst > 1))
            _print_row(law.name, [str(budget), *figures])


def learn(laws: Sequence[Law], budget: float, typical_s: float, seed: int) -> list[Cost]:
    """One task after the other, each of its law; what the schedules cost that they were polled with."""
    chance, state, costs = random.Random(seed), Durations(typical_s), []
    for law in laws:
        schedule = plan(state, budget)
        costs.append(law.judge(follow(schedule)))
        duration_s = chance.choice(law.durations_s)
        missed_s = max(takewhile(lambda poll_s: poll_s < duration_s, follow(schedule)), default=0.0)  # noqa: B023
        state = observed(state, missed_s, schedule.after(missed_s))
    return costs


def follow(schedule: Plan) -> Iterator[float]:
    time_s = 0.0
    while True:
        yield (time_s := schedule.after(time_s))


def every(gap_s: float) -> Iterator[float]:
    return backoff(gap_s, 1, gap_s)


def backoff(gap_s: float, factor: float, most_s: float) -> Iterator[float]:
    time_s = 0.0
    while True:
        yield (time_s := time_s + gap_s)
        gap_s = min(factor * gap_s, most_s)


def _beside_fixed(law: Law, runs: Sequence[Sequence[Cost]], task: int) -> float:
    return sum(run[task].lag_s for run in runs) / sum(law.fixed(run[task].polls).lag_s for run in runs)


def _scores(
    law: Law,
    runs: Sequence[Sequence[Cost]],
    windows: Sequence[tuple[int, int]],
    targets: Sequence[float],
) -> list[str]:
    figures = []
    for window, target in zip(windows, targets, strict=True):
        each = [_mean(run[slice(*window)]).score(law) for run in runs]
        score = _mean(cost for run in runs for cost in run[slice(*window)]).score(law)
        error = statistics.stdev(each) / math.sqrt(len(each))
        figures.append(_mark(f"{score:.3f} ± {error:.3f}", score > target))
    return figures


def _mean(costs: Iterable[Cost]) -> Cost:
    all_costs = list(costs)
    return Cost(
        statistics.fmean(cost.lag_s for cost in all_costs), statistics.fmean(cost.polls for cost in all_costs)
    )


def _names(windows: Sequence[tuple[int, int]]) -> list[str]:
    return [f"tasks {first + 1}-{last}" for first, last in windows]


def _mark(figure: str, missed: bool) -> str:
    return figure + ("!" if missed else " ")


def _print_row(name: str, figures: Sequence[str], width: int = 16) -> None:
    print(f"{name:20}" + "".join(f"{figure:>{width}}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
