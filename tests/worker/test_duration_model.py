"""How long a model takes, learned from polls alone, and where the next polls stand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.worker.duration_model import MIN_GAP_S, Durations, Plan, keys, observed, plan

HOUR_S = 3600.0
SEEN = st.tuples(st.floats(0, 30 * HOUR_S), st.none() | st.floats(0, 30 * HOUR_S))
LEARNED = st.builds(
    lambda typical_s, seen: learn(Durations(typical_s), seen),
    st.floats(1, 2 * HOUR_S),
    st.lists(SEEN, max_size=8),
)


def learn(state: Durations, seen: list[tuple[float, float | None]]) -> Durations:
    for a_s, b_s in seen:
        state = observed(state, a_s, b_s)
    return state


def poll_job(schedule: Plan, duration_s: float) -> list[float]:
    """The polls of one job, the last of which finds it done."""
    polls_s = [schedule.after(0.0)]
    while polls_s[-1] < duration_s:
        polls_s.append(schedule.after(polls_s[-1]))
    return polls_s


def watch(
    state: Durations,
    draw: Callable[[], float],
    tasks: int,
    polls: float = 8,
    keep: Callable[[Durations], Durations] = lambda state: state,
) -> Durations:
    """Learn from jobs that are only looked at, one after the other."""
    for _ in range(tasks):
        polls_s = [0.0, *poll_job(plan(state, polls), draw())]
        state = keep(observed(state, polls_s[-2], polls_s[-1]))
    return state


def lognormal(median_s: float, sigma: float, seed: int = 1) -> Callable[[], float]:
    chance = random.Random(seed)
    return lambda: median_s * chance.lognormvariate(0, sigma)


def gap_s(schedule: Plan, elapsed_s: float) -> float:
    return schedule.after(elapsed_s) - elapsed_s


def test_before_anything_was_seen_the_usual_time_is_the_one_told() -> None:
    assert Durations(100.0).usual_s() == pytest.approx(100, rel=0.02)
    assert 200 < Durations(100.0).late_s() < 400


def test_polls_alone_teach_how_long_a_job_takes() -> None:
    state = watch(Durations(60.0), lognormal(60, 0.25), 150)
    assert state.tasks == 150
    assert state.usual_s() == pytest.approx(60, rel=0.1)
    assert state.late_s() == pytest.approx(60 * 1.79, rel=0.2)


@pytest.mark.parametrize("told_s", [10.0, 240.0, 1000.0])
def test_a_wrong_guess_is_forgotten_in_twenty_tasks(told_s: float) -> None:
    assert watch(Durations(told_s), lognormal(60, 0.25), 20).usual_s() == pytest.approx(60, rel=0.15)


@pytest.mark.parametrize("now_s", [30.0, 120.0])
def test_a_provider_that_changes_its_speed_is_followed(now_s: float) -> None:
    before = watch(Durations(60.0), lognormal(60, 0.25), 150)
    assert watch(before, lognormal(now_s, 0.25), 40).usual_s() == pytest.approx(now_s, rel=0.15)


@pytest.mark.parametrize(("budget", "bound_s"), [(6, 0), (8, 0), (12, 0), (16, 0), (12, 30)])
def test_a_job_costs_as_many_polls_as_are_meant(budget: int, bound_s: float) -> None:
    schedule = plan(watch(Durations(150.0), lognormal(150, 0.25), 100, budget), budget, bound_s)
    draw = lognormal(150, 0.25, seed=2)
    made = fmean(len(poll_job(schedule, draw())) for _ in range(1000))
    assert made == pytest.approx(budget, rel=0.1)


def test_polls_that_were_learned_beat_a_fixed_interval_of_as_many() -> None:
    schedule = plan(watch(Durations(150.0), lognormal(150, 0.25), 100), 8)
    draw = lognormal(150, 0.25, seed=2)
    durations_s = [draw() for _ in range(1000)]
    polls = [poll_job(schedule, duration_s) for duration_s in durations_s]
    lag_s = fmean(made[-1] - duration_s for made, duration_s in zip(polls, durations_s, strict=True))
    fixed = fmean(durations_s) / 2  # of a fixed interval's polls and lag, however long it is
    assert lag_s * fmean(map(len, polls)) < 0.5 * fixed


def test_polls_come_at_the_root_of_the_hazard() -> None:
    """Before anything was seen the hazard grows in proportion to time."""
    schedule = plan(Durations(1000.0), 200)
    assert gap_s(schedule, 300) / gap_s(schedule, 1200) == pytest.approx(2, rel=0.05)


def test_polls_are_dense_where_jobs_end_and_rare_between_two_humps() -> None:
    chance = random.Random(1)
    state = watch(Durations(60.0), lambda: chance.choice((60, 200)) * chance.lognormvariate(0, 0.1), 150)
    schedule = plan(state, 8)
    assert schedule.after(0.0) > 40
    assert gap_s(schedule, 100) > 3 * gap_s(schedule, 60)
    assert gap_s(schedule, 100) > 3 * gap_s(schedule, 200)


def test_a_job_beyond_all_that_was_seen_is_still_polled() -> None:
    schedule = plan(watch(Durations(60.0), lognormal(60, 0.1), 100), 8)
    assert gap_s(schedule, 300) < 60
    assert gap_s(schedule, 12 * HOUR_S) < 2 * HOUR_S


@given(state=LEARNED, polls=st.floats(2, 32), bound_s=st.floats(2, 600), elapsed_s=st.floats(0, 30 * HOUR_S))
def test_no_gap_is_above_the_bound_or_below_the_least(
    state: Durations, polls: float, bound_s: float, elapsed_s: float
) -> None:
    for schedule in (plan(state, polls), plan(state, polls, bound_s)):
        assert gap_s(schedule, elapsed_s) >= 0.999 * MIN_GAP_S
    assert gap_s(plan(state, polls, bound_s), elapsed_s) <= 1.001 * bound_s


def test_a_tight_bound_leaves_half_of_the_polls_for_where_jobs_end() -> None:
    state = watch(Durations(600.0), lognormal(600, 0.2), 100)
    bounded = plan(state, 8, 60)
    assert gap_s(bounded, 100) == pytest.approx(60)
    assert gap_s(bounded, 650) < 40


@given(state=LEARNED, elapsed_s=st.floats(0, HOUR_S), later_s=st.floats(0, 100))
def test_a_late_poll_never_makes_the_next_one_earlier(
    state: Durations, elapsed_s: float, later_s: float
) -> None:
    schedule = plan(state, 8)
    assert schedule.after(elapsed_s + later_s) >= schedule.after(elapsed_s) - 1e-6


def test_a_poll_before_the_first_one_planned_does_not_move_it_far() -> None:
    schedule = plan(watch(Durations(60.0), lognormal(60, 0.25), 50), 8)
    assert schedule.after(3.0) == pytest.approx(schedule.after(0.0), rel=0.01)


@given(LEARNED)
def test_whatever_was_seen_stays_a_distribution(state: Durations) -> None:
    assert sum(state.trust) == pytest.approx(1)
    assert min(*state.trust, *state.long, *state.short) >= 0
    assert 0 < state.usual_s() <= state.late_s()


@given(LEARNED)
def test_what_is_stored_is_what_was_known(state: Durations) -> None:
    again = Durations.from_text(state.to_text())
    assert (again.typical_s, again.tasks, again.trust) == (state.typical_s, state.tasks, state.trust)
    assert again.long == pytest.approx(state.long, rel=0.001, abs=0.001)
    assert again.short == pytest.approx(state.short, rel=0.001, abs=0.001)


def test_storing_it_after_each_task_changes_nothing_that_matters() -> None:
    def store(state: Durations) -> Durations:
        return Durations.from_text(state.to_text())

    kept = watch(Durations(60.0), lognormal(60, 0.5), 300)
    stored = watch(Durations(60.0), lognormal(60, 0.5), 300, keep=store)
    assert stored.usual_s() == pytest.approx(kept.usual_s(), rel=0.01)
    assert stored.late_s() == pytest.approx(kept.late_s(), rel=0.02)
    assert sum(stored.long) == pytest.approx(sum(kept.long), rel=0.01)
    assert len(stored.to_text()) < 1500


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"typical_s":60,"tasks":1,"trust":[1]}'])
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the family, whatever its words
        Durations.from_text(text)


def test_a_bin_that_does_not_exist_is_refused() -> None:
    told = json.loads(Durations(60.0).to_text()) | {"long": {"999": 1.0}}
    with pytest.raises(ValueError, match="not durations"):
        Durations.from_text(json.dumps(told))


def test_what_was_refused_early_tells_nothing() -> None:
    state = watch(Durations(60.0), lognormal(60, 0.25), 30)
    assert observed(state, 5.0, None) == state


def test_what_was_found_done_after_an_outage_tells_nothing() -> None:
    state = watch(Durations(60.0), lognormal(60, 0.25), 30)
    assert observed(state, 0.0, 3 * HOUR_S) == state


def test_a_job_given_up_late_counts_as_a_long_one_and_not_as_a_task() -> None:
    state = watch(Durations(60.0), lognormal(60, 0.25), 30)
    given_up = learn(state, [(200.0, None)] * 5)
    assert given_up.late_s() > max(200, 1.3 * state.late_s())
    assert given_up.tasks == 30


def test_jobs_that_end_otherwise_do_not_make_the_others_look_short() -> None:
    draw, chance, state = lognormal(60, 0.5), random.Random(2), Durations(60.0)
    for _ in range(300):
        duration_s, refused_s = draw(), chance.uniform(0, 150)
        polls_s = [0.0, *poll_job(plan(state, 8), min(duration_s, refused_s))]
        state = observed(state, polls_s[-2], polls_s[-1] if duration_s < refused_s else None)
    assert state.tasks < 220
    assert state.usual_s() == pytest.approx(60, rel=0.15)


def test_a_poll_whose_clock_went_backwards_is_no_trouble() -> None:
    assert observed(Durations(60.0), 50.0, 40.0).tasks == 1


def test_jobs_learned_by_turns_through_one_store_are_learned_by_both_processes() -> None:
    rows = {"row": Durations(60.0).to_text()}

    def process(seed: int) -> Callable[[], None]:
        draw = lognormal(120, 0.25, seed)

        def learn_one() -> None:
            state = Durations.from_text(rows["row"])
            rows["row"] = watch(state, draw, 1).to_text()

        return learn_one

    one, other = process(1), process(2)
    for _ in range(15):
        one()
        other()
    learned = Durations.from_text(rows["row"])
    assert learned.tasks == 30
    assert learned.usual_s() == pytest.approx(120, rel=0.15)


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 1.5, 2.0, 6.0])
def test_what_was_learned_can_be_scaled_to_other_sizes(factor: float) -> None:
    learned = watch(Durations(100.0), lognormal(60, 0.25), 30)
    scaled = learned.scaled(factor)
    assert scaled.usual_s() == pytest.approx(factor * learned.usual_s(), rel=0.07)
    assert scaled.late_s() == pytest.approx(factor * learned.late_s(), rel=0.1)
    assert sum(scaled.long) == pytest.approx(sum(learned.long)), "no job is lost"


@given(LEARNED, st.floats(0.001, 1000))
def test_scaled_durations_are_durations(state: Durations, factor: float) -> None:
    scaled = state.scaled(factor)
    assert 0 < scaled.usual_s() <= scaled.late_s()
    assert Durations.from_text(scaled.to_text()).usual_s() == pytest.approx(scaled.usual_s(), rel=0.05)


def test_other_seconds_resolutions_and_clocks_have_other_keys_and_one_model() -> None:
    fine = {
        keys("jimeng-pro", seconds, resolution, clock)[0]
        for seconds in (5, 10)
        for resolution in ("720p", "1080p")
        for clock in ("queued", "running")
    }
    assert len(fine) == 8
    assert keys("jimeng-pro", 5, "720p")[1] == keys("jimeng-pro", 10, "1080p")[1]
    assert keys("jimeng-pro", 5, "720p", "queued")[1] != keys("jimeng-pro", 5, "720p")[1]
