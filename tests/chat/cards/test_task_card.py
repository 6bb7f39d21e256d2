"""What a card says in each state, and that it always fits."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fakes import A_MODEL, FREE_MODEL, FULL_MODEL, NOW, a_task
from hypothesis import given
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup

from bot.chat.cards.eta import UNKNOWN, Estimate
from bot.chat.cards.layout import Card
from bot.chat.cards.next_steps import NEXT_STEPS
from bot.chat.cards.task_card import CAPTION_LIMIT, draw_caption, draw_card, draw_offer
from bot.codes import FailureCode
from bot.request import CAMERAS, VideoModel, VideoRequest
from bot.task import Task, TaskState
from bot.text import LANGUAGES, phrases, plain, say
from bot.worker.queue_watch import Blockage

S = TaskState
STYLE = "pick:boat:style"
MOTIONS = [f"motion:boat:{number}" for number in range(1, 5)]

PREVIEW = say("en", "caption_preview", link="https://t.me/dreamreel_bot?start=keys")


def units(text: str) -> int:
    """Length as Telegram counts it: after its HTML is read, in UTF-16 units."""
    return len(html.unescape(re.sub(r"</?[a-z ]+(?: href=[^>]+)?>", "", text)).encode("utf-16-le")) // 2


def buttons(card: Card) -> list[str]:
    if card.buttons is None:
        return []
    row_by_row = card.buttons.inline_keyboard
    return [str(button.callback_data) for row in row_by_row for button in row if button.callback_data]


def labels(markup: InlineKeyboardMarkup | None) -> list[str]:
    return [button.text for row in markup.inline_keyboard for button in row] if markup else []


def only(model: VideoModel | None) -> dict[str, VideoModel]:
    """This model and no other, under the name that tasks ask for."""
    return {} if model is None else {"jimeng-pro": model}


def draw(
    model: VideoModel | None = A_MODEL, after_s: float = 0, estimate: Estimate = UNKNOWN, **changes: Any
) -> Card:
    return draw_card(a_task(**changes), only(model), NOW + timedelta(seconds=after_s), estimate)


def test_a_card_shows_the_words_and_what_is_bought() -> None:
    text = draw(after_s=7).text
    assert text.startswith("<b>a paper boat</b>\njimeng-pro · 16:9 · 5 s · 1080p · 🔇\n\n")
    assert text.endswith("0:07")


@pytest.mark.parametrize(
    "changes",
    [
        {"state": S.QUEUED},
        {"state": S.RUNNING, "submitted_at": NOW},
        {"state": S.RUNNING, "detached": True},
        {"state": S.SUCCEEDED},
        {"state": S.CANCELLED, "error_code": "cancelled"},
    ],
)
def test_of_several_videos_the_first_card_says_it_all_and_the_others_one_line(
    changes: dict[str, Any],
) -> None:
    batch = {"batch_id": "boat", "batch_size": 3, **changes}
    assert draw(**batch).text.startswith("<b>a paper boat</b>\n")
    assert say("en", "card_of_several", place=1, size=3) in draw(**batch).text
    other = draw(**batch, batch_place=2).text
    assert other.startswith(say("en", "card_of_several", place=2, size=3))
    assert "\n" not in other


def test_of_several_videos_one_that_failed_says_which_and_what_it_cost() -> None:
    refused = a_task(state=S.FAILED, error_code="video_refused", remote_id="job-1")
    third = replace(refused, batch_id="boat", batch_size=3, batch_place=3)
    text = draw_card(third, only(A_MODEL), NOW).text
    assert say("en", "card_of_several", place=3, size=3) in text
    assert say("en", "charged") in text


def test_a_photo_has_its_own_shape() -> None:
    with_photo = VideoRequest(model="jimeng-pro", photos=("p",), ratio="9:16", seconds=10, camera="robo_arm")
    assert draw(request=with_photo).text.startswith(
        "jimeng-pro · photo's format · 10 s · 1080p · 🔇 · Robot arm"
    )
    chosen = draw(replace(FULL_MODEL, ratio_with_photo=True), request=with_photo)
    assert chosen.text.startswith("jimeng-pro · 9:16 · 10 s · 1080p · 🔇")


@pytest.mark.parametrize(
    ("changes", "line", "data"),
    [
        ({"state": S.QUEUED}, "You are next · 0:30", ["cancel:boat"]),
        ({"state": S.SUBMITTING}, "Starting · 0:30", ["cancel:boat"]),
        (
            {"state": S.RUNNING, "submitted_at": NOW},
            "▰▰▰▰▱▱▱▱▱▱▱▱ 0:30 · usually 1 min 40 s",
            ["cancel:boat"],
        ),
        (
            {"state": S.RUNNING, "progress": 0.5},
            "▰▰▰▰▰▰▱▱▱▱▱▱ 50% · 0:30 · usually 1 min 40 s",
            ["cancel:boat"],
        ),
        ({"state": S.RUNNING, "late_at": NOW}, say("en", "card_late", elapsed="0:30"), ["cancel:boat"]),
        ({"state": S.RUNNING, "detached": True}, say("en", "card_stopped"), []),
        ({"state": S.SUBMITTING, "detached": True}, say("en", "card_stopped_unclear"), []),
        ({"state": S.QUEUED, "detached": True}, say("en", "cancelled"), []),
    ],
)
def test_a_task_on_its_way_says_how_far_it_is(changes: dict[str, Any], line: str, data: list[str]) -> None:
    card = draw(after_s=30, **changes)
    assert card.text.endswith(line)
    assert buttons(card) == data


def test_a_provider_in_trouble_is_not_a_free_place_that_is_waited_for() -> None:
    troubled = draw(estimate=Estimate(2, 30.0), state=S.QUEUED, error_code=FailureCode.UNREACHABLE)
    assert troubled.text.endswith(say("en", "card_provider_trouble", elapsed="0:00"))
    full = draw(state=S.QUEUED, error_code=FailureCode.NO_SLOT)
    assert full.text.endswith(say("en", "card_queued", elapsed="0:00"))


@pytest.mark.parametrize("blockage", Blockage)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_queue_that_stands_still_says_why_and_no_number(blockage: Blockage, language: str) -> None:
    free_at = NOW + timedelta(seconds=150) if blockage is Blockage.LOST_ANSWERS else None
    blocked = draw(
        estimate=Estimate(4717, 30.0, None, blockage, free_at),
        state=S.QUEUED,
        language=language,
    )
    assert "4717" not in blocked.text
    assert blocked.text != draw(estimate=Estimate(0), state=S.QUEUED, language=language).text
    if blockage is Blockage.LOST_ANSWERS:
        assert plain(say(language, "age_minutes", minutes=3)) in plain(blocked.text)


STEPS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0, 500)),
    st.tuples(st.just("poll"), st.none() | st.floats(0, 1)),
    st.tuples(st.sampled_from(["queued there", "late", "lost"]), st.none()),
    st.tuples(st.sampled_from(["full", "slower model", "accepted"]), st.floats(1, 2000)),
)


@given(st.lists(STEPS, max_size=60), st.lists(st.floats(1, 2000), min_size=60, max_size=60))
def test_no_bar_ever_runs_backwards(steps: list[tuple[str, float | None]], learned_s: list[float]) -> None:
    """Whatever polls say, jobs that wait in a queue again or are made again, a slower model, a restart, and
    what is learned of durations meanwhile."""
    now, fullest = NOW, 0
    task = a_task(state=S.RUNNING, submitted_at=NOW, remote_id="job", expected_s=100.0)
    for (step, value), usual_s in zip(steps, learned_s, strict=False):
        match step, task.state:
            case "wait", _:
                now += timedelta(seconds=value or 0.0)
            case "poll", S.RUNNING:
                task = task.polled(value, now)
            case "queued there", S.RUNNING:
                task = task.polled(None, now, queued=True)
            case "late", S.RUNNING:
                task = task.late(now)
            case "full", S.RUNNING:
                task = task.requeued_by_provider("no_slot", "", now, now)
            case "full", S.SUBMITTING:
                task = task.requeued_no_slot("no_slot", "", now)
            case "lost", S.SUBMITTING:
                task = task.failed(FailureCode.SUBMIT_UNKNOWN, "", now, now)
            case "slower model", S.SUBMITTING:
                task = task.rerouted(task.request, task.provider, None, now)
            case "accepted", S.QUEUED:
                task = task.submitting(now, now, now)
            case "accepted", S.SUBMITTING | S.FAILED:
                task = task.accepted("job", now, now, value)
        text = draw_card(task, {"jimeng-pro": A_MODEL}, now, Estimate(usual_s=usual_s)).text
        if "▱" in text or "▰" in text:
            assert text.count("▰") >= fullest
            fullest = text.count("▰")


def test_a_job_that_is_made_again_keeps_what_its_bar_has_shown() -> None:
    after = [NOW + timedelta(seconds=seconds) for seconds in (0, 60, 70, 100, 200)]
    task = a_task(state=S.RUNNING, submitted_at=NOW, remote_id="job", expected_s=120.0)
    assert task.bar(after[1]) == 0.5
    task = task.requeued_by_provider("no_slot", "", after[1], after[1])
    task = task.submitting(after[2], after[2], after[2]).accepted("job-2", after[2], after[2], 240.0)
    assert task.bar(after[3]) == 0.5, "it stands still"
    assert task.bar(after[4]) == pytest.approx(130 / 240)


def test_a_provider_that_says_less_than_the_time_does_not_push_the_bar_back() -> None:
    at = NOW + timedelta(seconds=60)
    task = a_task(state=S.RUNNING, submitted_at=NOW, remote_id="job", expected_s=120.0)
    told = task.polled(0.1, at)
    assert (told.progress, told.bar(at)) == (0.1, 0.5)
    assert "▰▰▰▰▰▰▱▱▱▱▱▱ 50%" in draw_card(told, {}, at).text
    assert told.polled(0.7, at).bar(at) == 0.7


def test_a_duration_that_is_learned_meanwhile_does_not_move_a_bar() -> None:
    at = NOW + timedelta(seconds=60)
    task = a_task(state=S.RUNNING, submitted_at=NOW, remote_id="job", expected_s=120.0)
    for usual_s in (30.0, 120.0, 2000.0):
        assert draw_card(task, {}, at, Estimate(usual_s=usual_s)).text.count("▰") == 6


def test_a_queue_names_how_many_stand_before() -> None:
    assert draw(estimate=Estimate(3)).text.endswith("In line, 3 before you · 0:00")


@pytest.mark.parametrize(
    ("turn_s", "time"), [(12.0, "12 s"), (38.0, "40 s"), (100.0, "2 min"), (3600.0, "1 h")]
)
def test_a_queue_says_when_the_turn_comes_where_that_can_be_told(turn_s: float, time: str) -> None:
    card = draw(estimate=Estimate(2, turn_s))
    assert card.text.endswith(f"In line, 2 before you · 0:00\nYour turn is in about {time}.")


def test_each_wait_is_counted_from_its_own_beginning() -> None:
    bought: dict[str, Any] = {"state": S.RUNNING, "submitted_at": NOW + timedelta(minutes=10)}
    assert " 0:30 · usually" in draw(after_s=630, **bought).text, "not from when it was asked for"
    queued = {**bought, "polled_at": NOW + timedelta(minutes=11)}
    assert draw(after_s=720, **queued).text.endswith("In the provider's queue · 2:00")
    begun = {**queued, "running_at": NOW + timedelta(minutes=13)}
    assert " 0:05 · usually" in draw(after_s=785, **begun).text


def test_what_is_usual_is_what_was_measured() -> None:
    measured = draw(after_s=30, estimate=Estimate(usual_s=58.3), state=S.RUNNING, submitted_at=NOW)
    assert measured.text.endswith("▰▰▰▰▰▰▱▱▱▱▱▱ 0:30 · usually 1 min")


def test_a_draft_of_words_says_how_long_it_usually_takes() -> None:
    asking: dict[str, Any] = {"state": S.DRAFT, "question": "card_draft"}
    measured = draw(estimate=Estimate(usual_s=98.0), **asking)
    assert measured.text.endswith("Shall I make this?\nIt usually takes 1 min 40 s.")
    assert draw(**asking).text.endswith("Shall I make this?"), "where nothing is known nothing is said"
    old = draw(estimate=Estimate(usual_s=98.0), state=S.DRAFT, question="card_old")
    assert "usually" not in old.text


def test_what_takes_longer_than_usual_says_so() -> None:
    assert "a little longer" in draw(after_s=151, state=S.RUNNING).text
    assert "a little longer" not in draw(after_s=149, state=S.RUNNING).text
    assert draw(after_s=3725, state=S.RUNNING).text.endswith("1:02:05 · a little longer than usual")


@pytest.mark.parametrize("state", [S.SUBMITTING, S.RUNNING])
def test_the_button_says_paid_only_where_somebody_pays(state: TaskState) -> None:
    label = "Stop waiting (maybe already paid)" if state is S.SUBMITTING else "Stop waiting (already paid)"
    assert labels(draw(state=state).buttons) == [label]
    assert labels(draw(FREE_MODEL, state=state).buttons) == ["Cancel"]
    assert labels(draw(state=S.QUEUED).buttons) == ["Cancel"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": S.QUEUED, "detached": True}, "Nothing was charged"),
        ({"state": S.CANCELLED, "error_code": "cancelled"}, "Nothing was charged"),
        ({"state": S.SUBMITTING, "detached": True}, "may have been charged"),
        ({"state": S.RUNNING, "detached": True}, "already paid for"),
        ({"state": S.FAILED, "error_code": "prompt_refused"}, "were not charged"),
        ({"state": S.FAILED, "error_code": "video_refused", "remote_id": "job-1"}, "may have been charged"),
        ({"state": S.FAILED, "error_code": FailureCode.SUBMIT_UNKNOWN}, "don't know"),
        ({"state": S.FAILED, "error_code": FailureCode.SUBMIT_UNKNOWN, "detached": True}, "don't know"),
    ],
)
def test_whoever_stops_waiting_is_told_whether_it_was_charged(changes: dict[str, Any], said: str) -> None:
    assert said in draw(**changes).text


def test_what_is_free_was_never_paid_for() -> None:
    for state in (S.QUEUED, S.SUBMITTING, S.RUNNING):
        assert "Nothing was charged" in draw(FREE_MODEL, state=state, detached=True).text
    failed = draw(FREE_MODEL, state=S.FAILED, error_code="preview_failed", remote_id="job-1")
    assert "charged" not in failed.text


@pytest.mark.parametrize(
    ("question", "data"),
    [
        (
            "card_draft",
            [
                *("pick:boat:ratio=9:16", "pick:boat:seconds=10", STYLE, "pick:boat:count"),
                *("generate:boat", "dismiss:boat"),
            ],
        ),
        ("card_old", ["generate:boat", "dismiss:boat"]),
        ("card_ask_photo", [*MOTIONS, STYLE, "generate:boat", "dismiss:boat"]),
        ("card_ask_photo_words", [*MOTIONS, STYLE, "dismiss:boat"]),
        ("card_ask_two_photos", [*MOTIONS, STYLE, "dismiss:boat"]),
        (None, ["dismiss:boat"]),
    ],
)
def test_a_draft_asks_and_starts_only_when_it_can(question: str | None, data: list[str]) -> None:
    assert buttons(draw(state=S.DRAFT, question=question)) == data


@pytest.mark.parametrize(("minutes", "age"), [(0, "1 min"), (89, "89 min"), (90, "2 h"), (1440, "24 h")])
def test_an_old_message_says_how_old(minutes: int, age: str) -> None:
    text = draw(state=S.DRAFT, question="card_old", after_s=60 * minutes).text
    assert say("en", "card_old", age=age) in text


def test_a_group_is_spared_the_options_but_for_the_style() -> None:
    assert buttons(draw(state=S.DRAFT, question="card_draft", chat_id=-5)) == [
        "pick:boat:style",
        "generate:boat",
        "dismiss:boat",
    ]


def test_a_ratio_that_the_photo_overrules_is_said_to_be_left_out() -> None:
    asked = VideoRequest(model="jimeng-pro", photos=("p",), ratio="9:16")
    line = say("en", "card_ratio_left_out", model="jimeng-pro", ratio="9:16")
    assert line in draw(state=S.DRAFT, question="card_ask_photo", request=asked).text
    follows = replace(A_MODEL, ratio_with_photo=True)
    assert line not in draw(follows, state=S.DRAFT, question="card_ask_photo", request=asked).text
    waiting = a_task(request=asked.model_copy(update={"ratio": None}))
    assert line in draw_card(waiting, only(A_MODEL), NOW, aside=line).text


STAND_IN = replace(A_MODEL, name="veo-3", company="Google")


@pytest.mark.parametrize(
    ("photos", "company", "named"),
    [((), "Volcengine", False), (("p",), "Volcengine", True), (("p",), "Google", False)],
)
def test_a_model_that_stepped_in_is_named_and_so_is_another_company_that_gets_the_photo(
    photos: tuple[str, ...], company: str, named: bool
) -> None:
    models = {"jimeng-pro": replace(A_MODEL, company=company), "veo-3": STAND_IN}
    request = VideoRequest(model="veo-3", prompt="a boat", photos=photos)
    stepped_in = "jimeng-pro was not available, so veo-3 makes it."
    for state in (S.QUEUED, S.RUNNING, S.FAILED):
        task = a_task(state=state, request=request, tried_models=("jimeng-pro", "jimeng-1080p"))
        text = draw_card(task, models, NOW).text
        assert stepped_in in text
        assert (say("en", "card_photo_elsewhere", company="Google") in text) is named
    assert draw_caption(task, models).text.endswith(stepped_in)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", [A_MODEL, FREE_MODEL, None])
def test_every_phrase_can_stand_on_a_failed_card(language: str, model: VideoModel | None) -> None:
    for key, phrase in phrases(language).items():
        if "{" not in phrase or key in ("photo_too_small", "photo_too_long"):
            card = draw(model, state=S.FAILED, error_code=key, language=language)
            assert "{" not in card.text


@pytest.mark.parametrize("code", ["cancelled", "dismissed", "draft_expired", None])
def test_a_cancelled_task_keeps_its_words_and_can_be_made_after_all(code: str | None) -> None:
    card = draw(state=S.CANCELLED, error_code=code)
    assert card.text == f"<b>{a_task().request.prompt}</b>\n\n{say('en', code or 'cancelled')}"
    assert buttons(card) == ["anyway:boat"]


def test_what_lacks_words_cannot_be_made_after_all() -> None:
    card = draw(state=S.CANCELLED, error_code="dismissed", request=VideoRequest(model="jimeng-pro"))
    assert card == Card(say("en", "dismissed"), None)


def test_an_uncertain_send_is_offered_with_a_button() -> None:
    assert buttons(draw_offer(a_task())) == ["send:boat"]


def test_long_words_are_folded_on_the_card_and_under_the_video() -> None:
    words = "a slow river & " * 20
    request = a_task().request.model_copy(update={"prompt": words})
    for drawn in (draw(request=request), draw_caption(a_task(request=request), only(A_MODEL))):
        assert drawn.text.startswith("<blockquote expandable>a slow river &amp; a slow")
        assert "<b>" not in drawn.text
    short = request.model_copy(update={"prompt": "a slow river"})
    assert draw(request=short).text.startswith("<b>a slow river</b>")
    assert draw_caption(a_task(request=short), only(A_MODEL)).text.startswith("a slow river\n")


def test_a_preview_says_what_it_is() -> None:
    assert PREVIEW in draw_caption(a_task(), only(FREE_MODEL), username="dreamreel_bot").text
    assert PREVIEW not in draw_caption(a_task(), only(A_MODEL)).text


def test_a_preview_names_the_words_that_its_fonts_lack() -> None:
    def caption(prompt: str, **changes: object) -> str:
        request = a_task().request.model_copy(update={"prompt": prompt, "photos": (), **changes})
        return draw_caption(a_task(request=request), only(FREE_MODEL)).text

    assert "lack the letters of “سلام שלום”" in caption("a boat سلام שלום in the rain")
    assert "lack" not in caption("雨中的纸船 кораблик 🙂 καράβι ﬁre")
    assert "lack" not in caption("سلام", photos=("a photo",))


def test_a_video_that_was_too_large_says_that_it_was_made_smaller() -> None:
    assert draw_caption(a_task(), only(A_MODEL), is_shrunk=True).text.endswith(say("en", "caption_shrunk"))
    assert say("en", "caption_shrunk") not in draw_caption(a_task(), only(A_MODEL)).text


FOREIGN = st.text(
    st.one_of(
        st.sampled_from("<>&\"'{}🚤👩‍👩‍👧🇨🇳עברית العربية\u202e\n "),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=900,
)
TASKS = st.builds(
    lambda prompt, photos, camera, state, hidden, progress, language, question, code, seconds, over: a_task(
        "f" * 16,
        request=VideoRequest(
            model="jimeng-pro", prompt=prompt, photos=("p",) * photos, camera=camera, seconds=seconds
        ),
        state=state,
        detached=hidden,
        progress=progress,
        language=language,
        question=question,
        error_code=code,
        tried_models=over,
    ),
    FOREIGN.map(lambda text: (text * 20)[:800]),
    st.integers(0, 2),
    st.none() | st.sampled_from([*CAMERAS, "<b>"]),
    st.sampled_from(S),
    st.booleans(),
    st.none() | st.floats(0, 1),
    st.sampled_from(LANGUAGES),
    st.sampled_from([None, "card_draft", "card_old", "card_ask_photo", "card_ask_words", "card_switch"]),
    st.sampled_from([*NEXT_STEPS, "cancelled", "draft_expired", "of_tomorrow"]),
    st.sampled_from([None, 5, 10]),
    st.sampled_from([(), ("jimeng-1080p",)]),
)


@given(TASKS, st.sampled_from([A_MODEL, FREE_MODEL, None]), st.floats(0, 1e8), st.integers(0, 10**6))
def test_a_card_and_a_caption_always_fit_and_are_html(
    task: Task, model: VideoModel | None, after_s: float, ahead: int
) -> None:
    estimate = Estimate(ahead, 100.0 * ahead, 1.0 + ahead)
    if task.state is S.CANCELLED:
        task = replace(task, error_code="cancelled")
    card = draw_card(task, only(model), NOW + timedelta(seconds=after_s), estimate)
    caption = draw_caption(task, only(model))
    assert 0 < units(card.text) <= 4096
    assert 0 < units(caption.text) <= CAPTION_LIMIT
    for drawn in (card, caption):
        ours = r'<(?!/?b>|/?blockquote>|blockquote expandable>|/a>|a href="https://t[.]me/[?]start=keys">)'
        assert not re.search(ours, drawn.text), "only our own tags"
        assert not re.search(r"&(?!(lt|gt|amp);)", drawn.text)
        assert drawn.text.count("<b>") == drawn.text.count("</b>")
        assert all(len(data.encode()) <= 64 for data in buttons(drawn))


@given(FOREIGN.filter(lambda text: bool(text.strip())))
def test_a_prompt_that_fits_stands_under_the_video_as_it_was_typed(prompt: str) -> None:
    request = VideoRequest(model="jimeng-pro", prompt=prompt)
    if units(html.escape(prompt, quote=False)) < 900:
        caption = draw_caption(a_task(request=request), only(A_MODEL)).text
        assert html.unescape(caption).startswith(prompt.strip())


@pytest.mark.parametrize(
    "prompt", ["🚤" * 800, "🚤 " * 400, "<" * 800 + "🚤" * 300, "纸船" * 400 + "x" * 300]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_is_filled_and_never_over_full(prompt: str, language: str) -> None:
    task = a_task(request=VideoRequest(model="jimeng-pro", prompt=prompt), language=language)
    assert CAPTION_LIMIT - 40 <= units(draw_caption(task, only(FREE_MODEL)).text) <= CAPTION_LIMIT


def test_a_long_prompt_is_cut_at_a_word() -> None:
    request = VideoRequest(model="jimeng-pro", prompt="paper boats " * 60)
    heading = draw(request=request).text.split("\n")[0]
    assert heading.endswith(("paper…</blockquote>", "boats…</blockquote>"))
    assert units(heading) <= 400


@pytest.mark.parametrize("prompt", ["@everybody look", "a boat for @ada_l and @boris"])
def test_a_card_mentions_nobody(prompt: str) -> None:
    request = VideoRequest(model="jimeng-pro", prompt=prompt)
    for state in (S.DRAFT, S.QUEUED, S.RUNNING, S.FAILED):
        text = draw(state=state, request=request).text
        assert re.search(r"@\w", text) is None
        assert "@" in text
    assert re.search(r"@\w", draw_caption(a_task(request=request), only(A_MODEL)).text) is None
