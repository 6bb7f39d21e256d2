"""What the errors of relays mean, on both of them: who is told what, and whether something may be charged."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Failed
from bot.providers import jimeng_relay, unified_relay
from bot.providers.wire.http import Answer, Call

SATURATED = "当前分组上游负载已饱和，请稍后再试"
JIMENG = {"code": 50411, "data": None, "message": "Pre Img Risk Not Pass", "request_id": "7", "status": 50411}

both = pytest.mark.parametrize("relay", [jimeng_relay, unified_relay], ids=["jimeng", "unified"])


def task_style(code: object, message: object = "") -> dict[str, object]:
    return {"code": code, "message": message, "data": None}


def openai_style(message: object, code: object = "") -> dict[str, object]:
    return {"error": {"message": message, "type": "new_api_error", "param": "", "code": code}}


def passed_on(upstream: object) -> dict[str, object]:
    return task_style("fail_to_fetch_task", upstream if isinstance(upstream, str) else json.dumps(upstream))


def submit(relay: ModuleType, status: int, fields: dict[str, object]) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        relay.read_submit(Answer(Call.SUBMIT, status, fields, retry_after_s=7))
    return raised.value


def poll(relay: ModuleType, status: int, fields: dict[str, object]) -> object:
    try:
        return relay.read_poll(Answer(Call.POLL, status, fields, retry_after_s=7))
    except ProviderError as error:
        return error


# Later: nothing was accepted


@both
@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        (429, openai_style("Too many requests", "rate_limit_exceeded"), "busy"),
        # One relay's own code for a rate limit: status and text are trusted more.
        (429, task_style("local:quota_not_enough", SATURATED), "busy"),
        (403, task_style("local:quota_not_enough", SATURATED), "busy"),
        (429, task_style("do_request_failed"), "busy"),
        (429, {}, "busy"),
        (429, passed_on({"code": 50430, "message": "Request Has Reached API Concurrent Limit"}), "no_slot"),
        (500, passed_on({"code": 50430, "message": ""}), "no_slot"),
        (500, passed_on({"code": 50429, "message": ""}), "busy"),
        (500, passed_on({"code": 50500, "message": "Internal Error"}), "provider_fault"),
        (400, task_style(50501, "Internal RPC Error"), "provider_fault"),
        (500, task_style("get_channel_failed", "try again later"), "provider_fault"),
        (
            503,
            openai_style("No available channel for model x under group y", "model_not_found"),
            "provider_fault",
        ),
        (503, openai_style("当前分组 default 下对于模型 x 无可用渠道"), "provider_fault"),
        (503, openai_style("sorry", "model_not_found"), "provider_fault"),
    ],
)
def test_a_submit_that_came_too_early_is_made_again_later(
    relay: ModuleType, status: int, fields: dict[str, object], code: str
) -> None:
    error = submit(relay, status, fields)
    assert isinstance(error, Unavailable)
    assert (error.code, error.retry_after_s) == (code, 7)


# The operator's business


@both
@pytest.mark.parametrize("call", [submit, poll])
@pytest.mark.parametrize(
    ("status", "fields", "trouble"),
    [
        (401, openai_style("Invalid token"), "key_refused"),
        (401, openai_style("该令牌额度已用尽"), "no_balance"),
        (403, openai_style("user quota is not enough", "insufficient_user_quota"), "no_balance"),
        (403, openai_style("sorry", "insufficient_user_quota"), "no_balance"),
        (403, task_style("quota_not_enough"), "no_balance"),
        (403, task_style("LOCAL:quota_not_enough"), "no_balance"),
        (500, task_style("local:quota_not_enough", "no"), "no_balance"),
        (402, task_style("payment"), "no_balance"),
        (200, task_style("error", "余额不足"), "no_balance"),
        (400, task_style("model_price_error", "model price not found"), "account"),
        (400, openai_style("The model x does not exist", "model_not_found"), "model_gone"),
        (403, openai_style("This token may not use the group"), "account"),
        (404, openai_style("Invalid URL (POST /jimeng/submit/videos)"), "wrong_address"),
        # The relay's own troubles with its upstream: nothing is wrong with our key.
        (401, passed_on({"code": 50400, "message": "Access Denied: Internal Error"}), "account"),
        (401, passed_on("who are you"), "account"),
        (403, passed_on({"error": {"message": "insufficient balance"}}), "account"),
    ],
)
def test_trouble_with_the_account_is_told_to_the_operator(
    relay: ModuleType, call: Any, status: int, fields: dict[str, object], trouble: str
) -> None:
    error = call(relay, status, fields)
    assert isinstance(error, AccountProblem)
    code = "model_gone" if trouble == "model_gone" else "account"
    assert (error.code, error.trouble) == (code, trouble)


# Refusals


@both
@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        (400, task_style("invalid_request", "field prompt is required"), "refused"),
        (400, openai_style("images is required", "invalid_request"), "refused"),
        (403, openai_style("rejected by content policy"), "refused"),
        (400, openai_style("image download timed out", "bad_image"), "refused"),
        (400, passed_on("<html>no</html>"), "refused"),
        (400, task_style("task_not_exist"), "refused"),
        (400, passed_on(JIMENG), "photo_refused"),
        (500, passed_on(JIMENG), "photo_refused"),
        (400, passed_on({"error": json.dumps(JIMENG)}), "photo_refused"),
        (400, passed_on(JIMENG | {"code": 50413, "message": "Post Text Risk Not Pass"}), "prompt_sensitive"),
        (
            400,
            passed_on(JIMENG | {"code": 50512, "message": "Post Text Risk Not Pass"}),
            "video_text_refused",
        ),
        (400, task_style(50512, "Post Text Risk Not Pass"), "video_text_refused"),
        (400, task_style("50412", ""), "prompt_refused"),
        (400, openai_style("Pre Img Risk Not Pass: Copyright", 50518), "photo_copyright"),
        # A text outweighs a code.
        (400, task_style("local:quota_not_enough", "Text Risk Not Pass"), "prompt_refused"),
    ],
)
def test_a_refusal_is_told_to_the_person(
    relay: ModuleType, status: int, fields: dict[str, object], code: str
) -> None:
    error = submit(relay, status, fields)
    assert type(error) is Rejected
    assert error.code == code


@both
@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (500, task_style("do_request_failed", "upstream connection reset")),
        (400, task_style("do_request_failed", "Too many requests")),
        (200, task_style("local:do_request_failed", "quota is not enough")),
        (500, passed_on("EOF")),
        (504, passed_on({"message": "?"})),
        (200, task_style("error", "upstream timed out")),
        (500, task_style("convert_request_failed")),
        (503, openai_style("The upstream is ill", "bad_response")),
        (408, openai_style("Request timeout")),
        (409, openai_style("Conflict")),
        (302, openai_style("Elsewhere")),
        (200, {"error": {"type": "?"}}),
        (200, {"error": True, "code": ""}),
        (400, {"code": ["invalid_request"]}),
        (400, {}),
    ],
)
def test_what_proves_no_refusal_may_have_been_charged(
    relay: ModuleType, status: int, fields: dict[str, object]
) -> None:
    assert isinstance(submit(relay, status, fields), OutcomeUnknown)


# Polls


@both
@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        (400, task_style("task_not_exist", "task_not_exist"), "not_found"),
        (400, task_style("local:task_not_exist"), "not_found"),
        (404, openai_style("Task not found"), "not_found"),
        (400, passed_on(JIMENG), "photo_refused"),
        (500, passed_on(JIMENG | {"code": 50511, "message": "Post Img Risk Not Pass"}), "video_refused"),
    ],
)
def test_an_error_that_is_about_the_job_ends_it(
    relay: ModuleType, status: int, fields: dict[str, object], code: str
) -> None:
    status_of_job = poll(relay, status, fields)
    assert isinstance(status_of_job, Failed)
    assert status_of_job.code == code


@both
@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        (500, task_style("get_task_failed", "database is locked"), "unreachable"),
        (500, task_style("get_task_failed", "task not found in cache"), "unreachable"),
        (500, task_style("do_request_failed"), "unreachable"),
        (503, openai_style("No available channel", "model_not_found"), "unreachable"),
        (400, task_style("invalid_request"), "unreachable"),
        (400, openai_style("blocked as unsafe"), "unreachable"),
        (524, {}, "unreachable"),
        (429, openai_style("Too many requests"), "busy"),
        (500, passed_on({"code": 50430}), "no_slot"),
        # The only one that ends a task if it stays.
        (500, passed_on({"code": 50500}), "provider_fault"),
    ],
)
def test_an_error_that_is_about_the_poll_ends_nothing(
    relay: ModuleType, status: int, fields: dict[str, object], code: str
) -> None:
    error = poll(relay, status, fields)
    assert isinstance(error, Unavailable)
    assert error.code == code


# Foreign texts


@both
def test_no_text_of_a_relay_is_told_to_anybody(relay: ModuleType) -> None:
    secret = "sk-5ecret"
    shown = []
    for status in (200, 400, 401, 403, 429, 500):
        for text in (f"user 4711, quota 815: {secret}", secret):
            for body in _bodies(text):
                shown += [repr(submit(relay, status, body)), repr(poll(relay, status, body))]
    for part in (secret, "4711", "815"):
        assert part not in " ".join(shown)


def _bodies(text: str) -> list[dict[str, object]]:
    return [
        task_style(text, text),
        task_style("invalid_request", text),
        task_style("quota_not_enough", text),
        openai_style(text, text),
        passed_on({"code": text, "message": text}),
        {"code": "success", "data": {"status": "FAILURE", "fail_reason": text, "user_id": 4711}},
        {"status": "failed", "error": {"message": text, "code": text}, "message": text},
        {"status": "completed", "error": text},
    ]


@both
def test_of_codes_plain_words_reach_the_log(relay: ModuleType) -> None:
    assert submit(relay, 400, task_style("local:invalid_request")).detail == "HTTP 400, code invalid_request"
    assert submit(relay, 400, passed_on(JIMENG)).detail == "HTTP 400, code fail_to_fetch_task"
    assert submit(relay, 400, task_style(50412)).detail == "HTTP 400, code 50412"


@both
@pytest.mark.parametrize("depth", [3, 50, 20_000])
def test_an_error_wrapped_over_and_over_is_read_or_let_be(relay: ModuleType, depth: int) -> None:
    text = '{"error":' * depth + json.dumps(JIMENG) + "}" * depth
    error = submit(relay, 400, passed_on(text))
    assert error.code == ("photo_refused" if depth == 3 else "refused")


@both
def test_a_text_of_two_megabytes_is_only_searched_at_its_start(relay: ModuleType) -> None:
    text = "model " * 300_000 + "quota is not enough"
    assert submit(relay, 400, openai_style(text)).code == "refused"
