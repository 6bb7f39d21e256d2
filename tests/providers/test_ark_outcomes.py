"""What Ark's answers mean: a relay's, what may have been charged, and what must not be shown."""

from __future__ import annotations

import logging
import traceback

import pytest
from provider_server import Fault, ProviderServer, Reply
from submit_outcomes import check_refusal, check_unknown

from bot.errors import AccountProblem, ProviderError, Rejected, Unavailable
from bot.provider import Failed, Status, StillRunning, Succeeded
from bot.providers.ark import Ark, read_poll
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http
from bot.request import VideoRequest

KEY = "ark-0123456789-s3cret"
WORDS = VideoRequest(model="ark-seedance-2.0", prompt="a private wish")
LINK = "https://videos.example/1.mp4"


def _adapter(server: ProviderServer) -> Ark:
    http = Http(submit_limit_s=0.3, poll_limit_s=0.3)
    return Ark(KEY, server.base_url, http=http, fetcher=VideoFetcher())


def _error(code: str, message: str = "?", kind: str = "") -> dict[str, object]:
    return {"error": {"code": code, "message": message, "param": "", "type": kind}}


def _failed(code: str, message: str = "?") -> Answer:
    return Answer(Call.POLL, 200, {"id": "7", "status": "failed", **_error(code, message)})


# What is certain after a submit


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (403, _error("OperationDenied.ServiceOverdue"), AccountProblem, "no_balance"),
        (403, _error("OperationDenied.ServiceNotOpen"), AccountProblem, "not_activated"),
        (403, _error("OperationDenied.Tomorrow"), AccountProblem, "not_activated"),
        (404, _error("InvalidEndpointOrModel.ModelIDAccessDisabled"), AccountProblem, "not_activated"),
        (404, _error("UnsupportedModel"), AccountProblem, "not_activated"),
        (429, _error("SetLimitExceeded"), AccountProblem, "no_balance"),
        (429, _error("RateLimitExceeded.EndpointTPMExceeded"), Unavailable, "busy"),
        (429, _error("SomethingNew"), Unavailable, "busy"),
        (429, "<html>slow down</html>", Unavailable, "busy"),
        (400, _error("ContentSecurityDetectionError"), Unavailable, "provider_fault"),
        (400, _error("InputTextRiskDetection"), Rejected, "prompt_refused"),
        (400, _error("InputTextSensitiveContentDetected.PolicyViolation"), Rejected, "prompt_refused"),
        (400, _error("SensitiveContentDetected.Violence"), Rejected, "prompt_refused"),
        (400, _error("InputImageRiskDetection"), Rejected, "photo_refused"),
        (400, _error("InputImageSensitiveContentDetected.PrivacyInformation"), Rejected, "person_refused"),
        (400, _error("InputVideoSensitiveContentDetected.x"), Rejected, "input_refused"),
        (400, _error("OutputVideoSensitiveContentDetected"), Rejected, "video_refused"),
        (400, _error("InvalidParameter.TaskTypeMismatch"), Rejected, "input_refused"),
        (400, _error("InvalidImageURL.NotFound"), Rejected, "input_refused"),
        # What relays answer in their own words.
        (401, _error("", "invalid token", "new_api_error"), AccountProblem, "key_refused"),
        (403, _error("insufficient_user_quota", "quota is not enough"), AccountProblem, "no_balance"),
        (
            503,
            _error("model_not_found", "no available channel for this model"),
            Unavailable,
            "provider_fault",
        ),
        (
            400,
            {"code": "x", "message": "the input image may contain real person"},
            Rejected,
            "person_refused",
        ),
    ],
)
async def test_a_documented_error_proves_that_nothing_was_accepted(
    status: int, body: object, kind: type[ProviderError], word: str
) -> None:
    await check_refusal(_adapter, WORDS, status, body, kind, word)


@pytest.mark.parametrize(
    "step",
    [
        *(Fault.CUT, Fault.RESET, Fault.HANG, Fault.LOST, Fault.HALF, Fault.SILENT),
        Reply(500, _error("InternalServiceError")),
        Reply(400, _error("InternalServiceError")),
        Reply(500, _error("SomethingNew")),
        Reply(504, _error("", "upstream timeout")),
        Reply(500, {"id": "7"}),
        Reply(403, {"id": "7", **_error("AccessDenied")}),
        Reply(200, {"id": "7", **_error("InternalServiceError")}),
        Reply(200, {"id": "7", "code": "fail", "message": "?"}),
        Reply(200, {"id": ""}),
        Reply(200, {"ok": True}),
        Reply(200, "<html>all is well</html>"),
        Reply(302, b"", {"Location": "/elsewhere"}),
    ],
)
async def test_what_proves_nothing_leaves_a_submit_unknown_and_is_never_repeated(step: Reply | Fault) -> None:
    await check_unknown(_adapter, WORDS, step)


# What a poll tells


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "succeeded", "content": {}}, Failed("no_video", "HTTP 200")),
        ({"status": "succeeded", "content": None}, Failed("no_video", "HTTP 200")),
        ({"status": "dreaming"}, StillRunning()),
        ({"status": "RUNNING", "error": None}, StillRunning()),
        ({"code": "success", "data": {"status": "queued"}}, StillRunning(queued=True)),
        (
            {"status": "succeeded", "content": {"last_frame_url": f"{LINK}?frame", "video_url": LINK}},
            Succeeded(LINK, 86400),
        ),
        (
            {"status": "succeeded", "content": {"video_url": LINK}, "usage": {"total_tokens": 7}},
            Succeeded(LINK, 86400, billed_tokens=7),
        ),
        (
            {"status": "succeeded", "content": {"video_url": LINK}, "usage": "?"},
            Succeeded(LINK, 86400),
        ),
        ({"status": "failed", "error": None}, Failed("provider_fault", "HTTP 200, status failed")),
        ({"status": "canceled"}, Failed("provider_fault", "HTTP 200, status canceled")),
    ],
)
def test_every_status_is_read(fields: dict[str, object], expected: Status) -> None:
    assert read_poll(Answer(Call.POLL, 200, fields)) == expected


@pytest.mark.parametrize(
    ("code", "message", "word"),
    [
        ("InputImageSensitiveContentDetected.PrivacyInformation", "?", "person_refused"),
        ("InputTextSensitiveContentDetected", "?", "prompt_refused"),
        ("OutputTextSensitiveContentDetected", "?", "video_text_refused"),
        ("OutputAudioSensitiveContentDetected.PolicyViolation", "?", "audio_refused"),
        ("Unknown", "the output video may be related to copyright restrictions", "video_copyright"),
        ("AccountOverdueError", "?", "provider_fault"),
        ("", "", "provider_fault"),
    ],
)
def test_a_failed_job_says_what_was_refused(code: str, message: str, word: str) -> None:
    status = read_poll(_failed(code, message))
    assert isinstance(status, Failed)
    assert status.code == word


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Call.POLL, 404),
        Answer(Call.POLL, 404, _error("SomethingNew")),
        Answer(Call.POLL, 400, _error("InvalidParameter", "the task is sensitive")),
        Answer(Call.POLL, 400, _error("ContentSecurityDetectionError")),
        Answer(Call.POLL, 400, _error("InputTextSensitiveContentDetected")),
        Answer(Call.POLL, 500, _error("InternalServiceError")),
        Answer(Call.POLL, 502),
        Answer(Call.POLL, 200, {"status": 7}),
    ],
)
def test_a_poll_that_fails_is_no_failed_job(answer: Answer) -> None:
    """`provider_fault` among them would end the job after some polls."""
    with pytest.raises((Unavailable, AccountProblem)) as nothing:
        read_poll(answer)
    assert nothing.value.code in {"unreachable", "account"}


@pytest.mark.parametrize("code", ["NotFound", "NotFound.Task", "ResourceNotFound"])
def test_an_unknown_job_is_not_found(code: str) -> None:
    status = read_poll(Answer(Call.POLL, 404, _error(code)))
    assert isinstance(status, Failed)
    assert status.code == "not_found"


def test_the_log_gets_the_request_id_for_arks_support() -> None:
    status = read_poll(
        _failed("OutputVideoSensitiveContentDetected", "No. Request id: 0217959970000000000000000000")
    )
    assert status == Failed(
        "video_refused",
        "HTTP 200, OutputVideoSensitiveContentDetected, request 0217959970000000000000000000, status failed",
    )


# Secrets


async def test_no_failure_shows_a_key_or_a_prompt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"key {KEY} said: {WORDS.prompt}"
    error = _error(echo, f"{echo} Request id: {KEY}", echo) | {"code": echo, "message": echo}
    steps: list[Reply | Fault] = [
        *[Reply(status, error) for status in (200, 400, 401, 403, 404, 429, 500, 503)],
        Reply(400, _error("InvalidParameter", echo)),
        Reply(400, _error(f"AccessDenied {KEY}", echo)),
        Reply(502, echo),
        Reply(200, {"id": echo, "status": echo}),
        Reply(200, {"id": "1", "status": "failed", **_error(f"OutputVideo{echo}", echo)}),
        Fault.CUT,
        Fault.HANG,
    ]
    shown = []
    async with ProviderServer() as server:
        adapter = _adapter(server)
        for step in steps:
            server.next("submit", step, step)
            for call in (adapter.submit(WORDS, (), "t1"), adapter.poll("1", adapter.models[0])):
                try:
                    shown.append(repr(await call))
                except ProviderError as problem:
                    shown += [str(problem), repr(problem), *traceback.format_exception(problem)]
        shown += [repr(adapter), str(vars(adapter))]
    text = "\n".join((*shown, caplog.text))
    assert KEY not in text
    assert WORDS.prompt not in text
