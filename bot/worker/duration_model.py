"""How long jobs take, learned from polls alone, and when to poll next. Pure: no clock.

Frequent polls cost calls, rare ones notice the end late. With f the density of a job's duration T, S its
survival (the chance that T > t) and h = f / S its hazard, polls at a rate of n(t) per second cost ∫ n S dt
polls a job, and their mean lag is ∫ f / (2n) dt. The sum of both is least at

    n(t) = sqrt(h(t) / 2c),        c the price of a poll in seconds of lag,

the hazard and not the density, because a poll is only paid for while the job still runs. Then lag x polls is
(∫ sqrt(f S) dt)² / 2; a fixed interval has E[T] / 2, which is 2.2 times that for a lognormal with sigma 0.25.
This is optimum inspection: Barlow, Hunter and Proschan, "Optimum checking procedures", J. SIAM 11 (1963);
Keller, "Optimum checking schedules for systems subject to random failure", Management Science 21 (1974).

The density is learned from polls, which only say "not done at a, done at b". It is a mixture of three views:

    guess   the prior: a hazard that grows with time up to 1.5 times the typical duration, then stays. Polls
            that never become rarer while a job runs are hardly worse than a fixed interval even if the
            typical duration is four times too long or short; and the prior keeps the hazard from going to
            zero beyond all that was seen.
    long    what was seen, with a half-life of 150 jobs: exact while the provider stays as it is
    short   the same with a half-life of 15 jobs: right soon after the provider has changed

The two memories are histograms over the logarithm of time. A job's weight of one is spread over the bins
between a and b as the present density has it, the step of self-consistency (Turnbull 1976; the E-step of EM)
done once as it arrives. The views are weighted by how well they predicted each job before it was learned,
with a little weight shared among all, so that none goes to zero: fixed share (Herbster and Warmuth 1998).
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

MIN_GAP_S = 1.0
"""No two polls are closer than this."""
ENOUGH_TASKS = 10
"""With fewer tasks a key's own durations say less than those of the whole model."""

_STEP = 0.1
"""A bin's width in the logarithm of time: a tenth of the time itself."""
_EDGES_S = (0.0, *(math.exp(_STEP * number) for number in range(116)))
"""The bins' ends: all up to 1 s is one bin, the last one ends after 27 h."""
_BINS = len(_EDGES_S) - 1
_WIDTHS_S = tuple(end - start for start, end in pairwise(_EDGES_S))
_FADING = (0.5 ** (1 / 150), 0.5 ** (1 / 15))
"""What a job leaves of the long and of the short memory. By benchmarks/polling.py, half or twice of either
changes the score after 200 tasks by less than 0.02, but twice the short one adapts slowly."""
_TRUST = (0.2, 0.6, 0.2)
"""The first weights of guess, long and short."""
_GIVEN_BACK = 0.01
"""How much weight is shared among all with each job."""
_SMOOTHING = 80
"""Smoothing passes over a histogram of one job; for n jobs the n-th part, but at least two."""
_FIRST_POLL = 1.25
"""When the first poll is due, counted in polls. The formula knows no whole polls and leaves it open."""
_LEAST = 1e-12
"""The least probability of a bin: nothing is impossible."""


@dataclass(frozen=True, slots=True)
class Durations:
    """What is known of one key. `Durations(typical_s)` has learned nothing yet."""

    typical_s: float
    tasks: int = 0
    """How many finished tasks it was learned from."""
    trust: tuple[float, ...] = _TRUST
    long: tuple[float, ...] = (0.0,) * _BINS
    """Jobs in each bin, older ones weighted less."""
    short: tuple[float, ...] = (0.0,) * _BINS

    def usual_s(self) -> float:
        """Return the median."""
        return self._quantile_s(0.5)

    def late_s(self) -> float:
        """Return the 99th percentile."""
        return self._quantile_s(0.99)

    def scaled(self, factor: float) -> Durations:
        """Return the same for jobs that take `factor` times as long, to the nearest bin."""
        shift = round(math.log(factor) / _STEP)
        if not shift:
            return replace(self, typical_s=self.typical_s * factor)
        return replace(
            self,
            typical_s=self.typical_s * factor,
            long=_shifted(self.long, shift),
            short=_shifted(self.short, shift),
        )

    def to_text(self) -> str:
        """Return it as JSON, about a kilobyte: bins that are nearly empty are left out."""
        return json.dumps(
            {
                "typical_s": self.typical_s,
                "tasks": self.tasks,
                "trust": self.trust,
                "long": _to_sparse(self.long),
                "short": _to_sparse(self.short),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_text(cls, text: str) -> Durations:
        """Read what `to_text` wrote. Raises ValueError for any other text."""
        try:
            told = json.loads(text)
            guess, long, short = map(float, told["trust"])
            return cls(
                typical_s=float(told["typical_s"]),
                tasks=int(told["tasks"]),
                trust=(guess, long, short),
                long=_from_sparse(told["long"]),
                short=_from_sparse(told["short"]),
            )
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError("not durations") from error

    def _quantile_s(self, share: float) -> float:
        below = 0.0
        for mass, (start_s, end_s) in zip(_density(self), pairwise(_EDGES_S), strict=True):
            if below + mass >= share:
                return start_s + (end_s - start_s) * (share - below) / mass
            below += mass
        return _EDGES_S[-1]


def keys(model: str, seconds: int, resolution: str, clock: str = "running") -> tuple[str, str]:
    """Return the key of such videos, and the coarser one of their model; every job is learned under both.

    Under the coarser one it counts as one of the usual size (`bot.worker.schedule.size_of`).

    `clock` is what is timed: "queued" and "running" if the provider tells them apart, each from its start.
    """
    return f"{model} {seconds}s {resolution} {clock}", f"{model} {clock}"


def observed(state: Durations, a_s: float, b_s: float | None) -> Durations:
    """Return the state after one job more: not done at `a_s` (0 if it was never polled), done at `b_s`.

    `b_s` is None if the job ended otherwise, so that its duration is only known to be above `a_s`. Two
    processes share a state by reading, applying this and writing in one transaction. An observation that was
    likelier than not (done within three hours without a poll) is not learned: it says next to nothing, and
    would only harden what is believed.
    """
    inside = _inside(a_s, b_s)
    views = _views(state)
    foretold = [_dot(view, inside) for view in views]
    believed = _dot(state.trust, foretold)
    if believed > 0.5:
        return state
    trust = tuple(
        (1 - _GIVEN_BACK) * share * chance / believed + _GIVEN_BACK * given
        for share, chance, given in zip(state.trust, foretold, _TRUST, strict=True)
    )
    spread = [mass * part / believed for mass, part in zip(_mix(state.trust, views), inside, strict=True)]
    long, short = (
        tuple(fading * old + new for old, new in zip(memory, spread, strict=True))
        for memory, fading in zip((state.long, state.short), _FADING, strict=True)
    )
    return replace(state, tasks=state.tasks + (b_s is not None), trust=trust, long=long, short=short)


@dataclass(frozen=True, slots=True)
class Plan:
    """When to poll. `counts` are the polls made by the end of each bin, a growing function of time: the next
    poll is due when it has grown by one. So a plan needs no memory of earlier polls, and a task may change
    its plan while it runs."""

    counts: tuple[float, ...]
    poll_max_s: float

    def after(self, elapsed_s: float) -> float:
        """Return when the next poll is due, in seconds from the start; `elapsed_s` 0 is for the first one."""
        count = max(self._count(elapsed_s) + 1, _FIRST_POLL)
        due_s = self._time_s(count)
        return min(due_s, elapsed_s + self.poll_max_s) if self.poll_max_s else due_s

    def _count(self, elapsed_s: float) -> float:
        number = _bin(elapsed_s)
        rate = (self.counts[number + 1] - self.counts[number]) / _WIDTHS_S[number]
        return self.counts[number] + rate * (elapsed_s - _EDGES_S[number])

    def _time_s(self, count: float) -> float:
        number = min(bisect_right(self.counts, count) - 1, _BINS - 1)
        rate = (self.counts[number + 1] - self.counts[number]) / _WIDTHS_S[number]
        return _EDGES_S[number] + (count - self.counts[number]) / rate


def plan(state: Durations, polls: float, poll_max_s: float = 0.0) -> Plan:
    """Plan polls at the rate sqrt(hazard / 2c), with the c that makes `polls` a task on average.

    No gap is above `poll_max_s` (0 is no bound). A bound that alone costs more than half of the polls is kept
    all the same, and half of them are placed besides. It takes a few tenths of a millisecond: worth caching.
    """
    density = _density(state)
    ends = accumulate(reversed(density))
    survivals = [end - mass / 2 for end, mass in zip(reversed([*ends]), density, strict=True)]
    roots = [math.sqrt(m / s / w) for m, s, w in zip(density, survivals, _WIDTHS_S, strict=True)]
    weights = [survival * width_s for survival, width_s in zip(survivals, _WIDTHS_S, strict=True)]
    least, most = 1 / poll_max_s if poll_max_s else 0.0, 1 / MIN_GAP_S

    def rates(scale: float) -> list[float]:
        return [min(max(scale * root, least), most) for root in roots]

    # A poll at time t is paid for by S(t): `wanted` is what ∫ n S dt must be, as the last poll is not a whole
    # gap after the one before it, but where the job's end falls in it, and the first has its own place.
    wanted = max(polls - 1.5 + _FIRST_POLL, _dot(rates(0.0), weights) + polls / 2)
    low, high = 0.0, wanted / _dot(roots, weights)
    for _ in range(15 if _dot(rates(high), weights) > wanted else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if _dot(rates(middle), weights) < wanted else (low, middle)
    grown = (rate * width_s for rate, width_s in zip(rates(high), _WIDTHS_S, strict=True))
    return Plan(tuple(accumulate(grown, initial=0.0)), poll_max_s)


def _density(state: Durations) -> list[float]:
    """Return the probability of each bin; the sum is 1."""
    return _mix(state.trust, _views(state))


def _mix(trust: Sequence[float], views: Sequence[Sequence[float]]) -> list[float]:
    return [_dot(trust, masses) for masses in zip(*views, strict=True)]


def _views(state: Durations) -> tuple[list[float], list[float], list[float]]:
    guess = _guess(state.typical_s)
    return guess, _remembered(state.long) or guess, _remembered(state.short) or guess


def _guess(typical_s: float) -> list[float]:
    """Return the prior: a hazard of 2 ln 2 t / typical², constant from 1.5 of the typical duration on.

    Its median is the typical duration.
    """
    survivals = []
    for end_s in _EDGES_S:
        time, bend = end_s / typical_s, min(end_s / typical_s, 1.5)
        survivals.append(0.5 ** (bend * bend + 2 * bend * (time - bend)))
    return [max(start - end, _LEAST) for start, end in pairwise(survivals)]


def _remembered(memory: Sequence[float]) -> list[float]:
    """Return a histogram as a density, smoothed by repeated passes of 1/4, 1/2, 1/4.

    The kernel's sigma in the logarithm is 0.6 for one job, 0.2 for ten and never below 0.1.
    """
    total = sum(memory)
    if not total:
        return []
    density = [mass / total for mass in memory]
    for _ in range(max(2, round(_SMOOTHING / max(1.0, total)))):
        padded = [density[0], *density, density[-1]]
        density = [(padded[i] + 2 * padded[i + 1] + padded[i + 2]) / 4 for i in range(_BINS)]
    return density


def _inside(a_s: float, b_s: float | None) -> list[float]:
    """Return how much of each bin lies between `a_s` and `b_s`, 0 to 1."""
    start_s = min(a_s, _EDGES_S[-1] - MIN_GAP_S)
    end_s = math.inf if b_s is None else max(b_s, a_s + MIN_GAP_S)
    return [
        max(0.0, min(end_s, upper_s) - max(start_s, lower_s)) / (upper_s - lower_s)
        for lower_s, upper_s in pairwise(_EDGES_S)
    ]


def _bin(time_s: float) -> int:
    return min(max(bisect_right(_EDGES_S, time_s) - 1, 0), _BINS - 1)


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _shifted(memory: Sequence[float], shift: int) -> tuple[float, ...]:
    """Return a histogram moved by so many bins; what would leave it stays in the last one."""
    moved = [0.0] * _BINS
    for number, mass in enumerate(memory):
        moved[min(max(number + shift, 0), _BINS - 1)] += mass
    return tuple(moved)


def _to_sparse(memory: Sequence[float]) -> dict[str, float]:
    """Return the bins that are not empty, in four significant digits: fixed digits would never fade."""
    return {str(number): float(f"{mass:.4g}") for number, mass in enumerate(memory) if mass >= 0.001}


def _from_sparse(sparse: dict[str, float]) -> tuple[float, ...]:
    memory = [0.0] * _BINS
    for number, mass in sparse.items():
        memory[int(number)] = float(mass)
    return tuple(memory)
