"""What JieKou's answers mean: its other dialects, what may have been charged, and what must not be shown."""

from __future__ import annotations

import logging
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provider_server import Fault, ProviderServer, Reply
from submit_outcomes import check_refusal, check_unknown, read_or_error

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Status, StillRunning, Succeeded
from bot.providers.jiekou import JieKou, read_poll, read_submit
from bot.providers.jiekou_products import MODELS
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http
from bot.request import VideoRequest

MODEL = MODELS[0]
KEY = "sk_jiekou-0123456789"
WORDS = VideoRequest(model="veo-3", prompt="a private wish")
LINK = "https://videos.example/1.mp4"
GIF = "https://videos.example/1.gif"


def _adapter(server: ProviderServer) -> JieKou:
    http = Http(submit_limit_s=0.3, poll_limit_s=0.3)
    return JieKou(KEY, server.base_url, http=http, fetcher=VideoFetcher())


# What a poll tells


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("TASK_STATUS_QUEUED", StillRunning(queued=True)),
        ("TASK_STATUS_PROCESSING", StillRunning(0.4)),
        ("PROCESSING", StillRunning(0.4)),
        ("TASK_STATUS_DREAMING", StillRunning(0.4)),
        ("TASK_STATUS_SUCCEED", Succeeded(LINK, 60)),
        ("TASK_STATUS_SUCCEEDED", Succeeded(LINK, 60)),
        ("task_status_success", Succeeded(LINK, 60)),
        ("TASK_STATUS_FAILED", Failed("provider_fault", "HTTP 200, status FAILED")),
        ("TASK_STATUS_CANCELED", Failed("provider_fault", "HTTP 200, status CANCELED")),
    ],
)
def test_every_word_for_a_status_is_known(status: str, expected: Status) -> None:
    videos = [{"video_url": LINK, "video_url_ttl": 60}]
    assert read_poll(_poll({"status": status, "progress_percent": 40}, videos)) == expected


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        ([{"video_url": LINK, "video_url_ttl": "7200", "video_type": "mp4"}], Succeeded(LINK, 7200)),
        ([{"video_url": LINK, "video_url_ttl": 0}], Succeeded(LINK, 3600)),
        ([{"video_url": LINK, "video_url_ttl": "for ever"}], Succeeded(LINK, 3600)),
        ([{"video_url": LINK}], Succeeded(LINK, 3600)),
        ({"video_url": LINK}, Succeeded(LINK, 3600)),
        (
            [
                {"video_url": GIF, "video_type": "gif"},
                {"video_url": LINK, "video_type": "MP4"},
                {"video_url": f"{LINK}?2", "video_type": "mp4"},
            ],
            Succeeded(LINK, 3600, further=(f"{LINK}?2",)),
        ),
        (
            [{"video_url": "", "video_type": "mp4"}, {"video_url": GIF, "video_type": "gif"}],
            Succeeded(GIF, 3600),
        ),
    ],
)
def test_every_mp4_with_a_link_is_a_video(videos: object, expected: Status) -> None:
    assert read_poll(_poll({"status": "TASK_STATUS_SUCCEED"}, videos)) == expected


@pytest.mark.parametrize("videos", [None, [], {}, "?", [{}], [{"video_url": "ftp://x/y"}], [None], [[LINK]]])
def test_a_success_without_a_usable_link_is_no_video(videos: object) -> None:
    assert read_poll(_poll({"status": "TASK_STATUS_SUCCEED"}, videos)) == Failed("no_video", "HTTP 200")


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(100, 1.0), ("40", 0.4), ("40%", 0.4), (0, None), (None, None), (101, 1.0), (True, None), ([4], None)],
)
def test_progress_is_read_as_number_and_as_text(percent: object, expected: float | None) -> None:
    task = {"status": "TASK_STATUS_PROCESSING", "progress_percent": percent}
    assert read_poll(_poll(task)) == StillRunning(expected)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("PROHIBITED_CONTENT", "refused"),
        ("IMAGE_SAFETY", "refused"),
        ("We can't make videos with the likeness of real people.", "refused"),
        ("It could not be made because the input image violates the usage guidelines.", "photo_refused"),
        ("The prompt holds sensitive words. Support codes: 58061214", "prompt_refused"),
        ("Nothing could be made from the prompt. Support codes: 42237218", "prompt_refused"),
        ("We had an issue with the audio for your prompt.", "audio_refused"),
        ("The generated videos violate the policies.", "video_refused"),
        ("internal error", "provider_fault"),
        ("the prompt is empty", "provider_fault"),
        ("", "provider_fault"),
        (7, "provider_fault"),
    ],
)
def test_a_failed_job_says_what_google_refused(reason: object, word: str) -> None:
    status = read_poll(_poll({"status": "TASK_STATUS_FAILED", "reason": reason}))
    assert isinstance(status, Failed)
    assert status.code == word


def test_googles_support_codes_reach_the_log() -> None:
    reason = "The prompt with my wish is refused. Support codes: 58061214, 17301594"
    status = read_poll(_poll({"status": "TASK_STATUS_FAILED", "reason": reason}))
    assert isinstance(status, Failed)
    assert status.detail == "HTTP 200, Google's support codes 58061214, 17301594, status FAILED"


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.parametrize(
    "fields",
    [
        {"message": "task not found"},
        {"code": 404, "reason": "TASK_NOT_FOUND", "message": "?"},
        {"message": "Task a1b2c3d4-0000 not found."},
        {"task": {"status": "TASK_STATUS_FAILED", "reason": "the task was not found"}},
    ],
)
def test_an_unknown_task_is_not_found_whatever_the_http_status(
    status: int, fields: dict[str, object]
) -> None:
    outcome = read_poll(Answer(Call.POLL, status, fields))
    assert isinstance(outcome, Failed)
    assert outcome.code == "not_found"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Call.POLL, 404),
        Answer(Call.POLL, 502),
        Answer(Call.POLL, 302, {"task": {"status": "TASK_STATUS_FAILED"}}),
        Answer(Call.POLL, 400, {"reason": "INVALID_REQUEST_BODY", "message": "the policy says no"}),
        Answer(Call.POLL, 404, {"reason": "NOT_FOUND", "message": "no such page"}),
        Answer(Call.POLL, 503, {"reason": "SERVICE_NOT_AVAILABLE"}),
        Answer(Call.POLL, 500, {"reason": "INTERNAL", "message": "?"}),
        Answer(Call.POLL, 200),
        Answer(Call.POLL, 200, {"task": {"status": 7}}),
        Answer(Call.POLL, 200, {"task": ["TASK_STATUS_FAILED"]}),
    ],
)
def test_a_poll_that_fails_is_no_failed_job(answer: Answer) -> None:
    """`provider_fault` among them would end the job after some polls."""
    with pytest.raises(Unavailable) as nothing:
        read_poll(answer)
    assert nothing.value.code == "unreachable"


# What may have been charged


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (403, {"reason": "ACCESS_DENY"}, AccountProblem, "not_activated"),
        (403, {"code": "NOT_ENOUGH_BALANCE", "message": "RPM limit"}, AccountProblem, "no_balance"),
        (401, {"message": "who are you"}, AccountProblem, "key_refused"),
        (402, {"reason": "PAY_FIRST"}, AccountProblem, "no_balance"),
        (
            400,
            {"reason": "INVALID_REQUEST_BODY", "message": "the prompt violates a policy"},
            Rejected,
            "prompt_refused",
        ),
        (422, {"reason": "BAD", "message": "what is this"}, Rejected, "refused"),
        (500, {"reason": "RATE_LIMIT_EXCEEDED"}, Unavailable, "busy"),
        (429, {"reason": "SERVER_OVERLOAD", "message": "server overload"}, Unavailable, "busy"),
        (429, "<html>slow down</html>", Unavailable, "busy"),
        (503, {"reason": "SERVICE_NOT_AVAILABLE"}, Unavailable, "provider_fault"),
    ],
)
async def test_an_error_with_a_name_proves_that_nothing_was_accepted(
    status: int, body: object, kind: type[ProviderError], word: str
) -> None:
    await check_refusal(_adapter, WORDS, status, body, kind, word)


@pytest.mark.parametrize(
    "step",
    [
        *(Fault.CUT, Fault.RESET, Fault.HANG, Fault.LOST, Fault.HALF, Fault.SILENT),
        Reply(500, {"code": 500, "reason": "INTERNAL", "message": "?"}),
        Reply(408, {"reason": "TIMEOUT", "message": "?"}),
        Reply(500, {"task_id": "7"}),
        Reply(503, "<html>503</html>"),
        Reply(401, {"task_id": "7"}),
        Reply(302, "<html>elsewhere</html>"),
        Reply(403, {"reason": "ACCESS_DENY", "task_id": "7"}),
        Reply(200, {"reason": "SERVICE_NOT_AVAILABLE", "task_id": "7"}),
        Reply(200, "<html>all is well</html>"),
        Reply(200, {"task_id": ""}),
        Reply(200, {"task_id": "\ud800"}),
        Reply(200, {"ok": True}),
        Reply(302, b"", {"Location": "/elsewhere"}),
        Reply(200, b"[" * 100_000),
    ],
)
async def test_what_proves_nothing_leaves_a_submit_unknown_and_is_never_repeated(step: Reply | Fault) -> None:
    await check_unknown(_adapter, WORDS, step)


def test_an_id_may_be_a_number() -> None:
    assert read_submit(Answer(Call.SUBMIT, 200, {"task_id": 7, "code": 0})) == Accepted("7")


# Whatever is answered


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["MODEL_NOT_FOUND", "RATE_LIMIT_EXCEEDED", "SERVICE_NOT_AVAILABLE", "TASK_NOT_FOUND"])
STATUSES = st.sampled_from(["QUEUED", "PROCESSING", "SUCCEED", "FAILED"]).map("TASK_STATUS_{}".format)
VIDEO = {"video_url": st.text() | JSON, "video_url_ttl": JSON, "video_type": st.just("mp4") | JSON}
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "task_id": JSON,
        "code": JSON,
        "reason": NAMES | JSON,
        "message": JSON,
        "task": JSON
        | st.fixed_dictionaries(
            {}, optional={"status": STATUSES | JSON, "reason": JSON, "progress_percent": JSON}
        ),
        "videos": JSON | st.lists(st.fixed_dictionaries({}, optional=VIDEO), max_size=2),
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
        assert status in {401, 404, 429} or {"reason", "code", "message", "task"} & set(fields)
    assert not isinstance(
        read_or_error(read_poll, Answer(Call.POLL, status, fields)), Rejected | OutcomeUnknown
    )


# Secrets


async def test_no_failure_shows_a_key_or_a_prompt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"key {KEY} said: {WORDS.prompt}"
    error = {"code": echo, "reason": echo, "message": echo, "metadata": {"prompt": echo}}
    steps: list[Reply | Fault] = [
        *[Reply(status, error) for status in (200, 400, 401, 403, 404, 429, 500, 503)],
        Reply(400, {**error, "reason": "INVALID_REQUEST_BODY"}),
        Reply(502, echo),
        Reply(200, {"task_id": echo, "task": {"status": echo, "reason": echo}}),
        Reply(200, {"task": {"status": "TASK_STATUS_FAILED", "reason": f"sensitive: {echo}"}}),
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


def _poll(task: object, videos: object = None) -> Answer:
    return Answer(Call.POLL, 200, {"task": task, "videos": videos})
