"""The card of a film: short enough for a caption in every language, with the buttons its state allows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes import A_MODEL, NOW, a_task

from bot.chat.cards.film_card import REFUSED, FilmView, draw_film
from bot.chat.cards.layout import units
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.cards.task_card import CAPTION_LIMIT
from bot.film import FRAME, Film, FilmShot, FilmState
from bot.prices import read_prices
from bot.request import VideoRequest
from bot.task import CardRef, Task, TaskState
from bot.text import LANGUAGES, plain, say

MODELS = {A_MODEL.name: A_MODEL}
LABELS = PriceLabels(read_prices(f"{A_MODEL.name}=0.42"), "USD", MODELS)
PLAIN = VideoRequest(model=A_MODEL.name, prompt="<b>a paper boat & a bridge</b> " * 20)


def a_film(count: int = 9, language: str = "en", **fields: object) -> Film:
    shot = FilmShot(plain=PLAIN, framed=PLAIN.model_copy(update={"photos": (FRAME,)}), price=Decimal("0.42"))
    shots = (shot, *[replace(shot, continues=True)] * (count - 1))
    film = Film(
        id="film",
        card=CardRef(chat_id=10, card_id=5),
        user_id=20,
        language=language,
        shots=shots,
        created_at=NOW,
        due_at=NOW,
    )
    return replace(film, **fields)  # type: ignore[arg-type]


def view(film: Film, *tasks: Task) -> FilmView:
    return FilmView(
        tasks={task.id: task for task in tasks},
        models=MODELS,
        price_labels=LABELS,
        now=NOW,
        usual_s=[100.0] * len(film.shots),
    )


def refused(film: Film, index: int, code: str = "prompt_refused") -> Task:
    task = a_task(film.task_id(index), price=Decimal("0.42"), film_id=film.id)
    return replace(task, state=TaskState.FAILED, error_code=code, delivered_at=NOW)


def labels(film: Film, *tasks: Task) -> list[str]:
    buttons = draw_film(film, view(film, *tasks)).buttons
    return [one.text for row in buttons.inline_keyboard for one in row] if buttons else []


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_nine_shots_with_long_words_fit_below_a_picture(language: str) -> None:
    film = a_film(language=language)
    going = replace(film, state=FilmState.MAKING, started_at=NOW)
    bad = [refused(going, index) for index in range(9)]
    for one, tasks in [
        (film, []),
        (going, [a_task(going.task_id(0))]),
        (replace(going, asks=REFUSED), bad),
        (replace(going, asks="film_no_frame", asks_values={"number": 1}), []),
        (replace(going, state=FilmState.JOINING), []),
        (replace(going, state=FilmState.STOPPED), bad),
    ]:
        text = draw_film(one, view(one, *tasks)).text
        assert units(plain(text)) <= CAPTION_LIMIT
        assert "&lt;b&gt;" in text, "foreign words are escaped"


def test_a_draft_has_one_price_for_all_and_the_time_of_its_longest_chain() -> None:
    film = a_film(3)
    assert f"3.78{chr(160)}USD" not in draw_film(film, view(film)).text
    assert f"1.26{chr(160)}USD" in draw_film(film, view(film)).text
    assert "5 min" in draw_film(film, view(film)).text
    cut = replace(film, shots=(film.shots[0], *[replace(film.shots[1], continues=False)] * 2))
    assert "1 min 40 s" in draw_film(cut, view(cut)).text


def test_only_what_was_not_refused_itself_can_be_tried_again_with_the_same_words() -> None:
    film = a_film(2, state=FilmState.MAKING, started_at=NOW, asks=REFUSED)
    words = plain(say("en", "button_film_words", number=1))
    again = plain(say("en", "button_film_again", number=1))
    assert words in labels(film, refused(film, 0))
    assert again not in labels(film, refused(film, 0))
    assert again in labels(film, refused(film, 0, "submit_unknown"))


def test_a_stopped_film_says_what_it_has_cost() -> None:
    film = a_film(2, state=FilmState.STOPPED, started_at=NOW)
    made = replace(
        a_task(film.task_id(0), price=Decimal("0.42"), remote_id="job"),
        state=TaskState.SUCCEEDED,
        delivered_at=NOW,
    )
    text = draw_film(film, view(film, made)).text
    assert plain(say("en", "film_stopped", count=1)) in plain(text)
    assert f"0.42{chr(160)}USD" in plain(text)
    assert labels(film, made) == [plain(say("en", "button_film_shots"))]
    assert labels(film) == []
