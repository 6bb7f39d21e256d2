"""The card of a film: its shots, what they cost, and what its person may do. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.chat.cards.eta import about
from bot.chat.cards.failure_card import reason_of
from bot.chat.cards.layout import Card, button, cut, join, keyboard, unlinked
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.cards.result_buttons import FILM
from bot.codes import INPUT_REFUSED, RESULT_REFUSED
from bot.film import Film, FilmState, ShotState, longest_s, shot_states, spent
from bot.request import VideoModel, settle
from bot.task import Task, TaskState
from bot.text import plain, say, say_duration

REFUSED = "film_refused"
"""What a film asks if shots have no video."""
DEARER = "film_dearer"
"""What it asks if a shot costs more than its person said yes to."""
_WORDS_SHOWN = 330
"""Units, of all shots. A card with the last frame of a shot is a caption: 1024 at most."""
_REASONS_SHOWN = 2
_MARKS = {
    ShotState.PROPOSED: "✏️",
    ShotState.WAITS: "▫️",
    ShotState.READY: "▫️",
    ShotState.UNDER_WAY: "⏳",
    ShotState.MADE: "✅",
    ShotState.REFUSED: "❌",
    ShotState.HELD: "▫️",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmView:
    """What a card needs besides the film."""

    tasks: Mapping[str, Task]
    models: Mapping[str, VideoModel]
    price_labels: PriceLabels
    now: datetime
    usual_s: Sequence[float] = ()
    """How long each shot usually takes."""
    aside: str = ""


def draw_film(film: Film, view: FilmView) -> Card:
    """Return the card of a film that is not there yet."""
    match film.state:
        case FilmState.DRAFT:
            return _draw_draft(film, view)
        case FilmState.MAKING if film.asks:
            return _draw_question(film, view)
        case FilmState.MAKING:
            below = say(film.language, "film_making")
            return Card(join(_heading(film, view), _shots(film, view), below), _stop(film))
        case FilmState.JOINING:
            below = say(film.language, "film_joining")
            return Card(join(_heading(film, view), _shots(film, view), below), None)
        case _:
            return _draw_stopped(film, view)


def film_button(
    film: Film, key: str, *action: object, style: KeyboardButtonStyle | None = None, **values: object
) -> InlineKeyboardButton:
    """Return the button of phrase `key` that sends `film:<id>:<action>[:<shot>]`."""
    return button(plain(say(film.language, key, **values)), FILM, film.id, *action, style=style)


def film_words(film: Film) -> str:
    """Return the words of all shots, for its caption."""
    return " → ".join(shot.request.prompt for shot in film.shots if shot.request.prompt)


def _draw_draft(film: Film, view: FilmView) -> Card:
    language, cost = film.language, plain(view.price_labels.words(film.language, _price(film)))
    time = about(language, longest_s(film, view.usual_s))
    terms = say(language, "card_usual", time=time)
    if cost:
        terms = say(language, "card_usual_costs", time=time, price=cost)
    seams = [
        button(
            f"{'⛓' if shot.continues else '✂'} {number}",
            *(FILM, film.id, "seam", number - 1, int(not shot.continues)),
        )
        for number, shot in enumerate(film.shots, 1)
        if number > 1 and shot.can_change
    ]
    explained = say(language, "film_seams") if seams else ""
    label = plain(say(language, "button_film_start"))
    start = button(
        f"{label} · {cost}" if cost else label, FILM, film.id, "start", style=KeyboardButtonStyle.SUCCESS
    )
    rows = [[start, film_button(film, "button_dismiss", "stop")]]
    text = join(_heading(film, view), _shots(film, view), explained, terms, view.aside)
    return Card(text, keyboard([seams, *rows] if seams else rows))


def _draw_question(film: Film, view: FilmView) -> Card:
    states = shot_states(film, view.tasks)
    rows: list[list[InlineKeyboardButton]] = []
    if film.asks == REFUSED:
        reasons = join(*[_reason(film, index, view) for index in _refused(states)[:_REASONS_SHOWN]])
        rows += [_ways_on(film, index, view) for index in _refused(states)]
    else:
        reasons = say(film.language, film.asks or REFUSED, **film.asks_values)
        if film.asks != DEARER:
            rows.append([film_button(film, "button_film_go_on", "go")])
    for index, state in enumerate(states):
        if state is ShotState.PROPOSED:
            label = plain(say(film.language, "button_film_make", number=index + 1))
            cost = plain(view.price_labels.words(film.language, film.shots[index].price))
            rows.append([button(f"{label} · {cost}" if cost else label, FILM, film.id, "make", index)])
    last = [film_button(film, "button_film_stop", "stop")]
    if ShotState.MADE in states:
        last.insert(0, film_button(film, "button_film_join", "join"))
    return Card(join(_heading(film, view), _shots(film, view), reasons), keyboard([*rows, last]))


def _ways_on(film: Film, index: int, view: FilmView) -> list[InlineKeyboardButton]:
    """Return the buttons for a shot without a video: other words, or the same words if they were not refused.
    Neither orders anything by itself."""
    words = film_button(film, "button_film_words", "words", index, number=index + 1)
    if view.tasks[film.task_id(index)].error_code in INPUT_REFUSED | RESULT_REFUSED:
        return [words]
    return [film_button(film, "button_film_again", "again", index, number=index + 1), words]


def _draw_stopped(film: Film, view: FilmView) -> Card:
    if film.started_at is None:
        return Card(join(_shots(film, view), say(film.language, film.asks or "dismissed")), None)
    made = shot_states(film, view.tasks).count(ShotState.MADE)
    text = say(film.language, "film_stopped" if made else "film_stopped_none", count=made)
    if charged := plain(view.price_labels.words(film.language, spent(view.tasks) or None)):
        text = f"{text}\n{say(film.language, 'film_spent', price=charged)}"
    buttons = keyboard([[film_button(film, "button_film_shots", "shots")]]) if made else None
    return Card(join(_shots(film, view), text), buttons)


def _stop(film: Film) -> InlineKeyboardMarkup:
    return keyboard([[film_button(film, "button_film_stop", "stop")]])


def _heading(film: Film, view: FilmView) -> str:
    """Return `Film of 3 shots · 15 s`."""
    seconds = [
        settle(shot.request, model).seconds or 0
        for shot in film.shots
        if (model := view.models.get(shot.request.model))
    ]
    heading = f"🎬 <b>{say(film.language, 'film_heading', count=len(film.shots))}</b>"
    if sum(seconds):
        heading = f"{heading} · {say_duration(film.language, sum(seconds))}"
    names = list(dict.fromkeys(shot.request.model for shot in film.shots))
    return f"{heading} · {html.escape(', '.join(names), quote=False)}"


def _shots(film: Film, view: FilmView) -> str:
    states = shot_states(film, view.tasks)
    return "\n".join(_shot(film, index, state, view) for index, state in enumerate(states))


def _shot(film: Film, index: int, state: ShotState, view: FilmView) -> str:
    """Return `2. ⛓ it rains · 5 s`; of a started shot with its state first, and last what it waits for."""
    shot, language = film.shots[index], film.language
    most = _WORDS_SHOWN // max(len(film.shots), 5)
    words = html.escape(cut(unlinked(" ".join(shot.request.prompt.split())), most), quote=False)
    model = view.models.get(shot.request.model)
    seam = "" if not index else "⛓ " if shot.continues else "✂ "
    is_drafted = film.started_at is None
    if film.state is FilmState.STOPPED and state is not ShotState.MADE:
        state = ShotState.HELD
    mark = "" if is_drafted else f"{_MARKS[state]} "
    line = f"{index + 1}. {mark}{seam}{words}"
    task = view.tasks.get(film.task_id(index))
    if film.state is FilmState.STOPPED and not is_drafted:
        return line
    if is_drafted and model is not None:
        return f"{line} · {say(language, 'seconds', seconds=settle(shot.request, model).seconds)}"
    if state is ShotState.UNDER_WAY and task is not None:
        return f"{line} · {say(language, _progress(task), time=_elapsed(task, view.now))}"
    if state is ShotState.HELD or (state is ShotState.WAITS and index):
        return f"{line} · {say(language, 'film_shot_waits', number=index)}"
    return line


def _progress(task: Task) -> str:
    return "film_shot_queued" if task.state is TaskState.QUEUED else "film_shot_made_now"


def _elapsed(task: Task, now: datetime) -> str:
    minutes, seconds = divmod(max(round((now - (task.queued_at or now)).total_seconds()), 0), 60)
    return f"{minutes}:{seconds:02}"


def _refused(states: Sequence[ShotState]) -> list[int]:
    return [index for index, state in enumerate(states) if state is ShotState.REFUSED]


def _reason(film: Film, index: int, view: FilmView) -> str:
    """Say why a shot has no video, and whether it was charged."""
    task = view.tasks[film.task_id(index)]
    reason = reason_of(task, task.error_code or "provider_fault", view.models.get(task.request.model))
    return say(film.language, REFUSED, number=index + 1, reason="\0").replace("\0", reason)


def _price(film: Film) -> Decimal | None:
    return film.price or None
