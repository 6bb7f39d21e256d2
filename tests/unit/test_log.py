"""Logs: no token and no key ever reaches them, whatever puts it there."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
import structlog

from bot.log import get_log, set_up_logs

TOKEN = "123456789:AAEverySecretTokenOfThisBot_-"
OTHER_TOKEN = "987654321:AAAnotherBotWhoseTokenNobodyTold"
SECRET = "c2VjcmV0/+key=="


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> str:
    """How the lines are written; a test may name one of the two."""
    return str(request.param)


@pytest.fixture
def stream(form: str) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    set_up_logs("debug", form, [TOKEN, SECRET, "", "short"], stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def fail(text: str) -> None:
    raise ValueError(text)


def with_traceback() -> None:
    url = f"https://api.telegram.org/bot{TOKEN}/getMe"
    try:
        fail(url)
    except ValueError:
        get_log("test").exception("it broke", key=SECRET)


def with_foreign_traceback() -> None:
    try:
        fail(SECRET)
    except ValueError:
        logging.getLogger("foreign").exception("it broke at %s", TOKEN)


class Odd:
    def __repr__(self) -> str:
        return f"Odd({SECRET})"


@pytest.mark.parametrize(
    "speak",
    [
        lambda: get_log("test").info(f"hello {TOKEN}"),
        lambda: get_log("test").info("hello", url=f"https://x/{TOKEN}/y", key=SECRET),
        lambda: get_log("test").info("hello", deep={"a": [{"b": (TOKEN, {SECRET})}]}),
        lambda: get_log("test").info("hello", deep={TOKEN: 1, SECRET: 2}),
        lambda: get_log("test").info("hello", odd=Odd(), error=ValueError(SECRET), raw=SECRET.encode()),
        lambda: get_log("test").bind(key=SECRET).warning("bound"),
        lambda: get_log("test").info("hello %s", SECRET),
        lambda: get_log("test").info("hello", other=OTHER_TOKEN),
        lambda: get_log("test").info("hello", quoted=quote(SECRET, safe=""), again=quote(TOKEN, safe="")),
        lambda: logging.getLogger("foreign").warning("GET https://api.telegram.org/bot%s/getMe", TOKEN),
        lambda: logging.getLogger("foreign").error("keys: %s", {"k": [SECRET]}),
        with_traceback,
        with_foreign_traceback,
    ],
)
def test_a_secret_is_blotted_out_wherever_it_stands(stream: io.StringIO, speak: Callable[[], None]) -> None:
    speak()
    line = stream.getvalue()
    assert "[hidden]" in line
    for secret in (TOKEN, OTHER_TOKEN, SECRET, quote(SECRET, safe=""), quote(TOKEN, safe="")):
        assert secret not in line
    for part in ("AAEverySecret", "AAAnother", "c2VjcmV0"):
        assert part not in line


def test_what_is_no_secret_is_left_as_it_is(stream: io.StringIO, form: str) -> None:
    get_log("test").info("a video was delivered", task="ab12", seconds=4.5, ok=True, none=None, short="short")
    line = stream.getvalue()
    for part in ("a video was delivered", "ab12", "4.5", "short"):
        assert part in line
    if form == "json":
        fields = json.loads(line)
        assert (fields["seconds"], fields["ok"], fields["none"]) == (4.5, True, None)


def test_a_traceback_is_written_once_and_whole(stream: io.StringIO) -> None:
    with_traceback()
    text = stream.getvalue()
    assert text.count("Traceback (most recent call last)") == 1
    assert "in fail" in text
    assert "Logging error" not in text


@pytest.mark.parametrize("form", ["json"])
def test_a_line_of_json_is_one_line_whatever_stands_in_it(stream: io.StringIO) -> None:
    get_log("test").info("two\nlines", prompt="纸船\u2028")
    line, end = stream.getvalue().split("\n")
    assert end == ""
    assert json.loads(line)["event"] == "two\nlines"


@pytest.mark.parametrize("name", ["httpx", "httpcore", "telegram.ext", "aiohttp.access"])
def test_libraries_that_log_every_address_are_silent(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("GET https://api.telegram.org/…")
    assert stream.getvalue() == ""


def test_a_page_where_telegram_should_answer_is_no_traceback_a_call(stream: io.StringIO) -> None:
    """python-telegram-bot writes one at each; the outage is told by who called."""
    logging.getLogger("telegram.request.BaseRequest").error("Can not load invalid JSON data: <html>")
    assert stream.getvalue() == ""


def test_the_level_is_kept(stream: io.StringIO, form: str) -> None:
    set_up_logs("warning", form, [], stream)
    get_log("test").info("quiet")
    get_log("test").warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
