"""What GeekAI's answers mean: its other dialects, what may have been charged, and what must not be shown."""

from __future__ import annotations

import logging
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provider_server import Fault, ProviderServer, Reply
from submit_outcomes import check_refusal, check_unknown, read_or_error

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, StillRunning, Succeeded
from bot.providers.geekai import JIMENG, GeekAI, read_poll, read_submit
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http
from bot.request import VideoRequest

MODEL = JIMENG
KEY = "sk-geekai-0123456789"
WORDS = VideoRequest(model="geekai-jimeng", prompt="a private wish")
LINK = "https://static.geekai.co/video/1.mp4"
WEEK_S = 7 * 86400


def _adapter(server: ProviderServer) -> GeekAI:
    http = Http(submit_limit_s=0.3, poll_limit_s=0.3)
    return GeekAI(KEY, server.base_url, http=http, fetcher=VideoFetcher())


# What a poll tells


@pytest.mark.parametrize("word", ["succeed", "success", "SUCCEED", "succeeded"])
@pytest.mark.parametrize("result", [[{"url": LINK}], {"url": LINK, "duration": 5}, [{}, "?", {"url": LINK}]])
def test_a_video_is_found_in_a_list_and_in_an_object(word: str, result: object) -> None:
    assert read_poll(_poll(task_status=word, video_result=result)) == Succeeded(LINK, WEEK_S)


@pytest.mark.parametrize(
    "result", [None, [], {}, [{"url": ""}], {"url": "ftp://x/y"}, "https://x/y", [[LINK]]]
)
def test_a_success_without_a_usable_link_is_no_video(result: object) -> None:
    fields = {"task_id": 7, "task_status": "succeed", "video_result": result}
    accepted = read_submit(Answer(Call.SUBMIT, 200, fields))
    assert accepted == Accepted("7", Failed("no_video", "code None, HTTP 200"))


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ({"code": 50413, "message": "Post Text Risk Not Pass"}, "prompt_sensitive"),
        ({"code": "x", "message": "upstream 50512: Post Text Risk Not Pass"}, "video_text_refused"),
        ({"message": "Text Risk Not Pass"}, "prompt_refused"),
        ({"code": 500, "details": {"upstream": {"code": 50516}}}, "video_refused"),
        ("Pre Img Risk Not Pass: Copyright", "photo_copyright"),
        ({"code": 50430}, "no_slot"),
        ({"code": "50429", "message": "Request Has Reached API Limit"}, "busy"),
        ({"code": 500, "message": "?"}, "provider_fault"),
        (None, "provider_fault"),
        ([7], "provider_fault"),
    ],
)
def test_a_failed_job_says_what_jimeng_refused_wherever_that_stands(error: object, word: str) -> None:
    status = read_poll(_poll(task_status="failed", error=error))
    assert isinstance(status, Failed)
    assert status.code == word


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(100, 1.0), ("42%", 0.42), ("42", 0.42), (0, None), (101, 1.0), (-1, None), (True, None), ({}, None)],
)
def test_progress_is_read_as_number_and_as_text(progress: object, expected: float | None) -> None:
    assert read_poll(_poll(task_status="running", progress=progress)) == StillRunning(expected)


def test_an_unknown_status_is_still_running() -> None:
    assert read_poll(_poll(task_status="dreaming")) == StillRunning()


@pytest.mark.parametrize(
    "answer",
    [
        *[
            Answer(Call.POLL, status, {"error": {"code": status}})
            for status in (400, 413, 422, 500, 503, 504)
        ],
        Answer(Call.POLL, 502),
        Answer(Call.POLL, 302, {"task_status": "succeed"}),
        Answer(Call.POLL, 200),
        Answer(Call.POLL, 200, {"task_status": 7}),
    ],
)
def test_a_poll_that_fails_is_no_failed_job(answer: Answer) -> None:
    """`provider_fault` among them would end the job after some polls."""
    with pytest.raises(Unavailable) as nothing:
        read_poll(answer)
    assert nothing.value.code == "unreachable"


def test_a_refusal_of_jimengs_is_a_failed_job_also_as_an_http_error() -> None:
    status = read_poll(Answer(Call.POLL, 400, {"error": {"code": 50412}}))
    assert status == Failed("prompt_refused", "code 50412, HTTP 400")


# What may have been charged


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (401, "<html>who are you</html>", AccountProblem, "key_refused"),
        (402, b"", AccountProblem, "no_balance"),
        (403, {"message": "forbidden"}, AccountProblem, "not_activated"),
        (413, "<html>too large</html>", Rejected, "photo_too_large"),
        (422, {"message": "bad parameter"}, Rejected, "refused"),
        (400, {"error": {"message": "upstream: Pre Img Risk Not Pass"}}, Rejected, "photo_refused"),
        (500, {"error": {"code": "50411"}}, Rejected, "photo_refused"),
        (500, {"message": "server error"}, Unavailable, "provider_fault"),
        (503, {"error": "busy"}, Unavailable, "provider_fault"),
        (400, {"error": {"code": 50430}}, Unavailable, "no_slot"),
        (429, "<html>slow down</html>", Unavailable, "busy"),
        (200, {"error": {"code": 402, "message": "balance"}}, AccountProblem, "no_balance"),
    ],
)
async def test_a_documented_refusal_proves_that_nothing_was_accepted(
    status: int, body: object, kind: type[ProviderError], word: str
) -> None:
    await check_refusal(_adapter, WORDS, status, body, kind, word)


@pytest.mark.parametrize(
    "step",
    [
        *(Fault.CUT, Fault.RESET, Fault.HANG, Fault.LOST, Fault.HALF, Fault.SILENT),
        Reply(504, {"error": {"code": 504, "message": "timeout"}}),
        Reply(408, {"error": {"code": 408, "message": "timeout"}}),
        Reply(500, "<html>500</html>"),
        Reply(503, "<html>503</html>"),
        Reply(502, {"error": {"code": 502}}),
        Reply(500, {"error": {"code": 500}, "task_id": "7"}),
        Reply(200, "<html>all is well</html>"),
        Reply(200, {"task_status": "running"}),
        Reply(200, {"task_id": "\ud800", "task_status": "running"}),
        Reply(200, {"error": {"code": 504}}),
        Reply(302, b"", {"Location": "/elsewhere"}),
        Reply(200, b"[" * 100_000),
    ],
)
async def test_what_proves_nothing_leaves_a_submit_unknown_and_is_never_repeated(step: Reply | Fault) -> None:
    await check_unknown(_adapter, WORDS, step)


# Whatever is answered


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "task_id": JSON,
        "task_status": st.sampled_from(["succeed", "success", "failed", "pending", "running"]) | JSON,
        "video_result": JSON | st.lists(st.fixed_dictionaries({"url": st.text() | JSON}), max_size=2),
        "progress": JSON,
        "message": JSON,
        "error": JSON | st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON, "details": JSON}),
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS, st.sampled_from([200, 204, 302, 400, 401, 404, 429, 500, 502, 503, 504]))
def test_whatever_is_answered_only_our_own_errors_come_out(fields: dict[str, object], status: int) -> None:
    submitted = read_or_error(read_submit, Answer(Call.SUBMIT, status, fields))
    if isinstance(submitted, Accepted):
        assert status < 300
        assert submitted.remote_id.isascii()
    elif not isinstance(submitted, OutcomeUnknown):
        assert status in {400, 401, 404, 429} or {"error", "message"} & set(fields)
    assert not isinstance(
        read_or_error(read_poll, Answer(Call.POLL, status, fields)), Rejected | OutcomeUnknown
    )


# Secrets


async def test_no_failure_shows_a_key_or_a_prompt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"key {KEY} said: {WORDS.prompt}"
    error = {"code": echo, "message": echo, "details": {"prompt": echo}}
    steps: list[Reply | Fault] = [
        *[Reply(status, {"error": error, "message": echo}) for status in (200, 400, 401, 403, 404, 429, 500)],
        Reply(502, echo),
        Reply(200, {"task_id": echo, "task_status": "failed", "error": error}),
        Fault.CUT,
        Fault.HANG,
    ]
    shown = []
    async with ProviderServer() as server:
        adapter = _adapter(server)
        for step in steps:
            server.next("submit", step, step)
            for call in (adapter.submit(WORDS, (), "t1"), adapter.poll("1", MODEL)):
                try:
                    shown.append(repr(await call))
                except ProviderError as problem:
                    shown += [str(problem), repr(problem), *traceback.format_exception(problem)]
        shown += [repr(adapter), str(vars(adapter))]
    text = "\n".join((*shown, caplog.text))
    assert KEY not in text
    assert WORDS.prompt not in text


def _poll(**fields: object) -> Answer:
    return Answer(Call.POLL, 200, fields)
