"""A paid video arrives whatever the answer looks like: records, links, ids, words for an end, reasons."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, StillRunning, Succeeded
from bot.providers import ark, geekai, jiekou, jimeng_relay, unified_relay, volcengine
from bot.providers.wire.http import Answer, Call

LINK = "https://videos.example/a.mp4?sign=1"
PAGE = "https://videos.example/watch?id=7"
COVER = "https://videos.example/cover.jpg"
ID = "48038932-0ff5-4251-8b4b-7a76c09fd114"
RELAYS = {"jimeng": jimeng_relay, "unified": unified_relay}

both = pytest.mark.parametrize("relay", RELAYS.values(), ids=RELAYS)


def poll(module: ModuleType, fields: object, status: int = 200) -> Any:
    return _read(module.read_poll, Call.POLL, status, fields)


def submit(module: ModuleType, fields: object, status: int = 200) -> Any:
    return _read(module.read_submit, Call.SUBMIT, status, fields)


def _read(read: Any, call: Call, status: int, fields: object) -> Any:
    try:
        return read(Answer(call, status, fields))  # type: ignore[arg-type]
    except ProviderError as error:
        return error


# Where the link lies

LINKS: list[dict[str, Any]] = [
    {"detail": {"url": LINK}},
    {"video_url": "", "detail": {"video_url": LINK}},
    {"video_url": None, "detail": {"upsample_video_url": LINK}},
    {"detail": {"draft_info": {"downloadable_url": LINK}}},
    {"response": {"videos": [{"url": LINK}]}},
    {"response": {"videos": [LINK]}},
    {"response": {"video": {"url": LINK}}},
    {"url": LINK},
    {"url": PAGE},
    {"result_url": LINK},
    {"output_url": LINK},
    {"output": LINK},
    {"output": [LINK]},
    {"output": {"video_url": LINK}},
    {"result": {"video": LINK}},
    {"result": {"videos": [{"url": [LINK][0]}]}},
    {"videos": [LINK]},
    {"videos": [{"video_url": LINK}]},
    {"content": {"video_url": LINK}},
    {"data": {"output": LINK}},
    {"data": {"url": LINK}},
    {"data": json.dumps({"content": {"video_url": LINK}})},
    {"data": {"response": {"videos": [{"url": LINK}]}}},
    {"data": {"task_result": {"videos": [{"id": "1", "url": LINK, "duration": "5"}]}}},
    {
        "detail": {
            "assets": {"transcoded_video": {"720p": {"video_url": PAGE}, "origin": {"video_url": LINK}}}
        }
    },
    {"data": {"task_map": {"7": {"item_list": [{"transcoded_video": {"480p": {"video_url": LINK}}}]}}}},
    {"metadata": {"url": PAGE}},
    {"video": {"uri": PAGE}},
    {"videoUrl": PAGE},
    {"video_urls": [PAGE]},
    {"video_url": json.dumps([LINK])},
    {"assets": {"video": PAGE, "image": COVER}},
    {"response": {"generatedVideos": [{"video": {"uri": PAGE}}]}},
    {"output": f"<video src='{LINK}'></video>"},
    {"message": f"done: {LINK}"},
    # Nobody has named these places, and nothing else there looks like a video.
    {"metadata": {"files": [{"src": LINK}, {"src": COVER}]}, "thumbnail_url": COVER},
    {"generations": [{"asset": {"play_url": PAGE}}], "image_url": COVER},
]


@both
@pytest.mark.parametrize("word", ["completed", "SUCCESS"])
@pytest.mark.parametrize("record", LINKS, ids=json.dumps)
def test_a_link_is_found_wherever_sellers_put_it(
    relay: ModuleType, record: dict[str, Any], word: str
) -> None:
    status = poll(relay, {"code": "success", "data": {"status": word, **record}})
    assert isinstance(status, Succeeded)
    assert status.video_url == (LINK if LINK in json.dumps(record) else PAGE)
    if relay is unified_relay:
        assert poll(relay, {"id": "7", "status": word, **record}) == status


@both
@pytest.mark.parametrize(
    "record",
    [
        {"thumbnail_url": COVER, "detail": {"cover_url": LINK}},
        {"req": {"video": LINK}, "detail": {"req": {"images": [LINK]}, "input": {"video_url": LINK}}},
        {"enhanced_prompt": LINK, "prompt": LINK},
        {"files": [LINK, LINK.replace("a.mp4", "b.mp4")]},
        {"text": f"{LINK} or {LINK.replace('a.mp4', 'b.mp4')}", "message": PAGE},
        {
            "video_url": "ftp://videos.example/a.mp4",
            "url": "javascript:alert(1)",
            "result_url": "s3://a/b.mp4",
        },
    ],
)
def test_what_was_asked_for_and_pictures_and_other_schemes_are_no_video(
    relay: ModuleType, record: dict[str, Any]
) -> None:
    status = poll(relay, {"code": "success", "data": {"status": "completed", **record}})
    assert isinstance(status, Failed)
    assert status.code == "no_video"


def test_the_order_of_the_unified_relays_document_counts() -> None:
    places = ["video_url", "detail.video_url", "detail.upsample_video_url", "detail.url", "url", "result_url"]
    for first in range(len(places)):
        record: dict[str, Any] = {"id": "7", "status": "completed", "detail": {}}
        for number, place in enumerate(places[first:]):
            holder, _, name = place.rpartition(".")
            (record[holder] if holder else record)[name] = f"https://videos.example/{number}.mp4"
        status = poll(unified_relay, record)
        assert status == Succeeded("https://videos.example/0.mp4", 3600), places[first]


@both
def test_the_upstreams_own_link_comes_before_the_one_that_wants_a_key(relay: ModuleType) -> None:
    proxy = "https://relay.example/v1/videos/task_abc/content"
    record = {"status": "SUCCESS", "result_url": proxy, "data": {"data": {"video_url": LINK}}}
    status = poll(relay, {"code": "success", "data": record})
    assert (status.video_url, status.others) == (LINK, (proxy,))
    alone = poll(relay, {"code": "success", "data": {"status": "SUCCESS", "result_url": proxy}})
    assert alone.video_url == proxy


# Where the record lies

RECORD = {"id": ID, "status": "completed", "video_url": LINK}
WRAPPED: list[dict[str, Any]] = [
    {"code": "success", "data": RECORD},
    {"code": 0, "message": "ok", "data": RECORD},
    {"code": 200, "data": json.dumps(RECORD)},
    {"data": RECORD},
    {"data": {"data": RECORD}},
    {"data": [RECORD]},
    {"detail": RECORD},
    {"result": RECORD},
    {"status": "SUCCESS", "data": RECORD},
    {"status": "ok", "data": RECORD},
    {"status": 200, "data": {"status": "success", "data": RECORD}},
    {"code": 200, "info": RECORD},
    {"items": [RECORD]},
    {"code": "success", "body": {"7": RECORD}},
    {"video": {"state": "completed", "url": LINK}},
    {"Data": {"TaskStatus": "completed", "VideoUrl": LINK}},
    {"code": "success", "data": {"task_id": ID, "status": "SUCCESS", "data": RECORD}},
]


@both
@pytest.mark.parametrize("fields", WRAPPED, ids=json.dumps)
def test_a_record_is_read_where_it_lies(relay: ModuleType, fields: dict[str, Any]) -> None:
    assert poll(relay, fields) == Succeeded(LINK, 3600)
    text = json.dumps(fields).replace("completed", "processing").replace(LINK, "")
    if "task_id" not in text and "Data" not in fields:
        assert poll(relay, json.loads(text)) == StillRunning()
    failed = json.loads(json.dumps(fields).replace("completed", "failed").replace(LINK, ""))
    assert isinstance(poll(relay, failed), Failed)


@both
def test_the_call_may_have_succeeded_while_the_job_still_runs(relay: ModuleType) -> None:
    fields = {"status": "SUCCESS", "data": {"status": "IN_PROGRESS", "progress": "30%"}}
    assert poll(relay, fields) == StillRunning(0.3)
    fields = {"status": "success", "data": {"status": "pending"}}
    assert poll(relay, fields) == StillRunning(queued=True)


@both
def test_a_relay_may_be_behind_its_upstream(relay: ModuleType) -> None:
    inner = {"status": "completed", "video_url": LINK}
    for holder in ("data", "detail"):
        record = {"task_id": ID, "status": "IN_PROGRESS", "progress": "50%", holder: inner}
        assert poll(relay, {"code": "success", "data": record}) == Succeeded(LINK, 3600)
        stage = {**record, "status": "video_upsampling"}
        assert poll(relay, {"code": "success", "data": stage}) == StillRunning(0.5)
        record[holder] = {**inner, "video_url": ""}
        assert poll(relay, {"code": "success", "data": record}) == StillRunning(0.5)


@both
def test_of_several_records_under_unknown_names_none_is_taken(relay: ModuleType) -> None:
    others = {**RECORD, "video_url": LINK.replace("a.mp4", "b.mp4")}
    assert not isinstance(poll(relay, {"items": {"1": RECORD, "2": others}}), Succeeded)
    assert not isinstance(poll(relay, {"code": "success", "items": [RECORD, others]}), Succeeded)


@both
def test_a_link_to_a_video_is_the_end_where_nothing_else_is_told(relay: ModuleType) -> None:
    for fields in ({"id": ID, "video_url": LINK}, {"status": None, "url": LINK}, {"video": {"url": LINK}}):
        assert poll(relay, {"code": "success", "data": fields}) == Succeeded(LINK, 3600)
        assert poll(relay, fields) == Succeeded(LINK, 3600)
    for more in ({"progress": 0}, {"progress": "99%"}, {"status": 7}, {"input": {"video": LINK}, "url": "-"}):
        record = {"id": ID, "url": LINK, **more}
        assert not isinstance(poll(relay, {"code": "success", "data": record}), Succeeded), more


@both
@pytest.mark.parametrize(
    "data",
    ["Unauthorized", "null", "0", "{}", "[1]", "https://videos.example/page", "success", "submitted", "OK"],
)
def test_a_word_or_a_link_in_the_place_of_an_id_is_none(relay: ModuleType, data: str) -> None:
    assert isinstance(submit(relay, {"code": "success", "data": data}), OutcomeUnknown)


@both
def test_an_answer_that_holds_a_key_for_an_id_does_not_tell_it(relay: ModuleType) -> None:
    error = submit(relay, {"id": "sk-5ecret-key", "error": {"message": "no"}})
    assert isinstance(error, OutcomeUnknown)
    assert "5ecret" not in f"{error!r}"


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou, ark])
@pytest.mark.parametrize("word", ["error", "fail"])
def test_a_call_that_failed_is_no_failed_job(module: ModuleType, word: str) -> None:
    outcome = poll(module, {"status": word, "message": "database is locked"})
    assert isinstance(outcome, Unavailable | StillRunning)
    assert isinstance(poll(module, {"id": ID, "status": word, "error": "?"}), Failed)


# Words

ENDS = (
    "done succeed finished completed success succeeded complete DONE Finished SUCCEED TASK_STATUS_SUCCEED"
    " ended READY 已完成 生成成功"
)


@both
@pytest.mark.parametrize("word", ENDS.split())
def test_a_link_beside_a_word_for_the_end_is_the_end(relay: ModuleType, word: str) -> None:
    assert poll(relay, {"code": "success", "data": {"status": word, "video_url": LINK}}) == Succeeded(
        LINK, 3600
    )


@both
@pytest.mark.parametrize("word", ["processing", "almost_there", "unknown", "In Progress", "queued"])
@pytest.mark.parametrize("progress", [100, "100%", "100"])
def test_a_link_beside_100_percent_is_the_end(relay: ModuleType, word: str, progress: object) -> None:
    record = {"status": word, "progress": progress, "video_url": LINK}
    assert poll(relay, {"code": "success", "data": record}) == Succeeded(LINK, 3600)
    assert isinstance(poll(relay, {"code": "success", "data": {**record, "video_url": ""}}), StillRunning)
    assert isinstance(poll(relay, {"code": "success", "data": {**record, "progress": 99}}), StillRunning)


@both
def test_a_stage_at_100_percent_runs_on(relay: ModuleType) -> None:
    record = {"status": "video_upsampling", "progress": 100, "video_url": LINK}
    assert poll(relay, {"code": "success", "data": record}) == StillRunning(1.0)


@both
@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("expired", "expired"),
        ("timeout", "provider_fault"),
        ("rejected", "refused"),
        ("FAILURE", "provider_fault"),
    ],
)
def test_the_word_for_a_failure_is_told_where_nothing_else_is(
    relay: ModuleType, word: str, code: str
) -> None:
    status = poll(relay, {"code": "success", "data": {"task_id": ID, "status": word}})
    assert (type(status), status.code) == (Failed, code)


# Why there is no video

REASONS = [
    (
        {"fail_reason": "task failed", "data": {"error": {"code": "OutputVideoSensitiveContentDetected"}}},
        "video_refused",
    ),
    ({"data": {"error_message": "The prompt violates our usage policies"}}, "prompt_refused"),
    ({"data": {"code": 50412, "message": "?"}}, "prompt_refused"),
    ({"fail_reason": "failed", "data": {"data": {"code": "50518"}}}, "photo_copyright"),
    ({"detail": {"failure_reason": "input_moderation: prompt violates our guardrails"}}, "prompt_refused"),
    ({"detail": {"failure_reason": "output_moderation: violates our guardrails"}}, "video_refused"),
    ({"detail": {"video_generation_error": "the input image is unsafe"}}, "photo_refused"),
    ({"detail": {"video_generation_error": "unsafe prompt or images, please change"}}, "refused"),
    (
        {"error": "Task failed.", "detail": {"error_message": "moderation: the generated video"}},
        "video_refused",
    ),
    ({"error": {"code": "InputTextSensitiveContentDetected.PolicyViolation"}}, "prompt_refused"),
    ({"error": {"code": "InputImageSensitiveContentDetected.PrivacyInformation"}}, "person_refused"),
    ({"error": "The request failed because the input image may contain real person."}, "person_refused"),
    ({"fail_reason": "图片中含有真人"}, "person_refused"),
    ({"fail_reason": "图片中未检测到人脸"}, "photo_refused"),
    ({"error": {"code": "InputImageRiskDetection", "message": "?"}}, "photo_refused"),
    ({"error": {"code": "InputVideoSensitiveContentDetected.xyz"}}, "input_refused"),
    ({"error": {"code": "OutputVideoSensitiveContentDetected.PolicyViolation"}}, "video_copyright"),
    ({"error": {"code": "OutputAudioSensitiveContentDetected.PolicyViolation"}}, "audio_refused"),
    ({"error": {"code": "OutputTextSensitiveContentDetected"}}, "video_text_refused"),
    ({"error": "the output video may be related to copyright restrictions"}, "video_copyright"),
    ({"error": "The input image may be related to copyright restrictions"}, "photo_copyright"),
    ({"error": {"code": "SensitiveContentDetected.Violence"}}, "prompt_refused"),
    ({"error": {"code": "ContentSecurityDetectionError"}}, "provider_fault"),
    ({"error": {"code": "OutputVideoCopyrightDetected"}}, "video_copyright"),
    ({"error": {"code": "InputImageCopyrightViolation"}}, "photo_copyright"),
    ({"error": {"code": "InputTextCopyright"}}, "prompt_sensitive"),
    ({"error": {"code": "OutputVideoPolicyViolation"}}, "video_refused"),
    ({"error": "Image Copyright Internal Error"}, "provider_fault"),
    ({"error": "moderation"}, "refused"),
    ({"fail_reason": "图片审核不通过"}, "photo_refused"),
    ({"fail_reason": "提示词包含敏感内容"}, "prompt_refused"),
    ({"fail_reason": "something else"}, "provider_fault"),
    ({"errorCode": "50511"}, "video_refused"),
    ({"fail_reason": "upstream error", "err_code": 50411}, "photo_refused"),
    ({"failReason": "Text Risk Not Pass"}, "prompt_refused"),
    ({"failure": {"reason": "the prompt violates our guardrails"}}, "prompt_refused"),
    ({"task_status_msg": "Failure to pass the risk control system"}, "refused"),
    ({"errors": [{"message": "OutputVideoSensitiveContentDetected"}]}, "video_refused"),
    ({"error": ["OutputVideoSensitiveContentDetected"]}, "video_refused"),
    ({"detail": "Your prompt was rejected by our safety system"}, "prompt_refused"),
    ({"data": {"detail": {"failure_reason": "the prompt violates our guardrails"}}}, "prompt_refused"),
    ({"result": {"error": "the prompt violates our guardrails"}}, "prompt_refused"),
    ({"fail_reason": "PUBLIC_ERROR_AUDIO_FILTERED"}, "audio_refused"),
    ({"fail_reason": "PUBLIC_ERROR_IP_INPUT_IMAGE"}, "photo_copyright"),
    (
        {"fail_reason": "images of photorealistic people are not supported: uploads of images"},
        "person_refused",
    ),
    ({"fail_reason": "包含违禁词"}, "refused"),
    ({"fail_reason": "RateLimitExceeded"}, "busy"),
    ({"fail_reason": "请求过于频繁"}, "busy"),
    ({"fail_reason": "no answer within 50412 ms"}, "provider_fault"),
    ({"fail_reason": "failed", "request": {"reason": "the prompt violates"}}, "provider_fault"),
    ({"error": "boom", "detail": {"error_message": "the prompt is unsafe"}}, "provider_fault"),
]


@both
@pytest.mark.parametrize(("record", "code"), REASONS, ids=str)
def test_a_reason_is_read_wherever_it_stands(relay: ModuleType, record: dict[str, Any], code: str) -> None:
    status = poll(relay, {"code": "success", "data": {"task_id": ID, "status": "FAILURE", **record}})
    assert (type(status), status.code) == (Failed, code)


@both
@pytest.mark.parametrize(
    ("reason", "final"),
    [
        ("rate limit exceeded", True),
        ("Too Many Requests", True),
        ("当前分组上游负载已饱和", True),
        ("50429", False),
        ('{"code": 50430, "message": "?"}', False),
        ("Request Has Reached API Concurrent Limit, Please Try Later", False),
    ],
)
def test_only_documented_words_prove_that_an_accepted_job_cost_nothing(
    relay: ModuleType, reason: str, final: bool
) -> None:
    status = poll(
        relay, {"code": "success", "data": {"task_id": ID, "status": "FAILURE", "fail_reason": reason}}
    )
    assert (status.code, status.final) == ("busy", final)


def test_geekais_429_for_an_accepted_job_proves_nothing_either() -> None:
    failed = {"task_id": "7", "task_status": "failed", "error": {"code": 429, "message": "rate limit"}}
    assert poll(geekai, failed).final
    assert not poll(geekai, {**failed, "error": {"code": 50430}}).final


# Where an id lies


@both
@pytest.mark.parametrize(
    "fields",
    [
        {"code": 0, "message": "success", "data": {"task_id": ID}},
        {"code": "success", "data": {"id": ID}},
        {"code": "success", "data": ID},
        {"code": 200, "id": "call-1", "data": {"id": 88, "task_id": ID}},
        {"data": {"task_id": ID, "status": "SUBMITTED"}},
        {"data": {"data": {"id": ID}}},
        {"data": [{"task_id": ID}]},
        {"id": ID, "status": "queued", "detail": {"id": "other"}},
        {"task_id": ID},
        {"result": {"task_id": ID}},
        {"task": {"id": ID}},
        {"output": {"task_id": ID}},
        {"code": 10000, "data": {"task_id": ID}},
        {"code": 201, "data": {"jobId": ID}},
        {"Data": {"TaskId": f" {ID} "}},
        {"TASK_ID": ID},
        {"id": 0, "task_id": ID},
        {"code": "Succeeded", "data": [ID]},
        {"code": 0, "result": ID},
        {"video": {"id": ID, "status": "queued"}},
        {"error": {"code": 0, "message": "ok"}, "id": ID},
    ],
    ids=json.dumps,
)
def test_an_id_is_accepted_wherever_it_lies(relay: ModuleType, fields: dict[str, Any]) -> None:
    assert submit(relay, fields) == Accepted(ID)


@both
def test_a_submit_may_be_answered_with_the_video(relay: ModuleType) -> None:
    assert submit(relay, {"code": "success", "data": RECORD}) == Accepted(ID, Succeeded(LINK, 3600))


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou])
@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (500, {"data": {"task_id": ID}}),
        (502, {"error": {"message": "?"}, "request_id": ID}),
        (200, {"note": {"job": ID}}),
        (404, {"trace": {"generation_id": ID}}),
        (200, {"code": 1, "note": {"job": ID}}),
        (200, {"things": [{"uuid": ID}, {"uuid": "2"}]}),
        (200, {"task_ids": [ID, "2"]}),
        (200, {"name": f"operations/{ID}"}),
        (200, {"id": f"{ID}视频"}),
    ],
)
def test_an_unclear_answer_is_searched_for_an_id_for_the_log(
    module: ModuleType, status: int, fields: dict[str, Any]
) -> None:
    error = submit(module, fields, status)
    assert isinstance(error, OutcomeUnknown)
    assert ID in error.detail


@both
def test_an_id_beside_a_code_that_nobody_knows_is_no_refusal(relay: ModuleType) -> None:
    error = submit(relay, {"code": 1, "description": "submitted", "result": ID})
    assert (type(error), ID in error.detail) == (OutcomeUnknown, True)


def test_an_id_in_a_text_that_is_no_json_is_logged_too() -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        unified_relay.read_submit(Answer(Call.SUBMIT, 200, {}, text=f"queued, task id: {ID}"))
    assert ID in unknown.value.detail


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou])
def test_what_looks_like_a_key_or_belongs_to_somebody_is_never_told(module: ModuleType) -> None:
    fields: dict[str, object] = {
        "note": {"id": "sk-5ecret-key", "user_id": 4711, "token_id": "815", "request_id": "Bearer"}
    }
    fields |= {"task": {"id": 'key "sk-5ecret" said'}, "name": "key:sk-5ecret1"}
    error = submit(module, fields)
    assert isinstance(error, OutcomeUnknown)
    for part in ("5ecret", "4711", "815", "Bearer"):
        assert part not in f"{error!r} {error.detail}"


# A chat's answer to a submit


def _chat(content: object) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}


@both
@pytest.mark.parametrize(
    "content",
    [
        f"[▶️ 在线观看]({LINK})",
        f"Here it is: {LINK}.",
        f"![cover]({COVER}) [watch]({LINK}) [page]({PAGE})",
        [{"type": "video_url", "video_url": {"url": LINK}}],
        json.dumps({"id": "7", "video_url": LINK}),
    ],
)
def test_a_chat_that_holds_a_link_is_a_finished_video(relay: ModuleType, content: object) -> None:
    assert submit(relay, _chat(content)) == Accepted("chatcmpl-1", Succeeded(LINK, 3600))


@both
@pytest.mark.parametrize(
    "content",
    [
        f"Task ID: `{ID}`",
        f"任务ID：{ID}\n请稍候",
        ID,
        json.dumps({"task_id": ID}),
        f"```json\n{json.dumps({'id': ID, 'status': 'pending'})}\n```",
        f"> video id: {ID}\n[progress]({PAGE})",
        f"Your task id is {ID}. Please wait.",
        f"任务编号为 {ID}",
    ],
)
def test_a_chat_that_names_a_job_is_that_job(relay: ModuleType, content: str) -> None:
    assert submit(relay, _chat(content)) == Accepted(ID)


@both
def test_a_chat_is_read_wherever_it_lies_and_so_is_what_stands_beside_it(relay: ModuleType) -> None:
    assert submit(relay, {"code": 0, "data": _chat(LINK)}) == Accepted("chatcmpl-1", Succeeded(LINK, 3600))
    assert submit(relay, {**_chat(""), "task_id": ID}) == Accepted(ID)
    text = {"id": "chatcmpl-1", "choices": [{"text": f"task_id: {ID}"}]}
    assert submit(relay, text) == Accepted(ID)


@both
@pytest.mark.parametrize("content", ["", None, "I am on it.", 7, {"a": 1}, "video 1080p-quality", "404"])
def test_a_chats_own_id_is_no_job(relay: ModuleType, content: object) -> None:
    error = submit(relay, _chat(content))
    assert isinstance(error, OutcomeUnknown)
    assert "chatcmpl-1" in error.detail


# Web servers and gateways


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou])
@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        *((status, "wrong_address") for status in (301, 308, 404, 405)),
        (401, "key_refused"),
        (402, "no_balance"),
        (403, "wrong_address"),
    ],
)
def test_a_web_server_that_does_not_pass_a_submit_on_is_the_admins_business(
    module: ModuleType, status: int, trouble: str
) -> None:
    error = submit(module, {}, status)
    assert isinstance(error, AccountProblem)
    # GeekAI documents its 403 for any body.
    assert error.trouble == ("not_activated" if module is geekai and status == 403 else trouble)
    if status != 404:
        told = submit(module, {"message": "a sentence of its own"}, status)
        assert isinstance(told, AccountProblem)


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou, ark])
@pytest.mark.parametrize(
    ("code", "kind"),
    [(401, AccountProblem), ("403", AccountProblem), (429, Unavailable), (500, OutcomeUnknown)],
)
def test_a_status_inside_an_answer_is_one(
    module: ModuleType, code: object, kind: type[ProviderError]
) -> None:
    error = submit(module, {"code": code, "msg": "?", "message": "?"})
    # GeekAI documents that nothing was made at a 500 that has words.
    assert isinstance(error, Unavailable if module is geekai and code == 500 else kind)


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine])
def test_the_id_of_a_call_is_no_job(module: ModuleType) -> None:
    fields = {"message": "no Route matched with those values", "request_id": ID}
    assert isinstance(submit(module, fields, 404), AccountProblem)


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou])
def test_a_submit_that_is_too_large_is_a_photo_that_is_too_large(module: ModuleType) -> None:
    error = submit(module, {}, 413)
    assert isinstance(error, Rejected)
    assert error.code == "photo_too_large"
    if module is not volcengine:
        told = submit(module, {"error": {"message": "too large"}, "message": "too large"}, 413)
        assert (type(told), told.code) == (Rejected, error.code)


def test_a_refusal_of_volcengines_gateway_without_a_number_is_one() -> None:
    error = submit(volcengine, {"ResponseMetadata": {"Error": {"Code": "NewWord"}}}, 401)
    assert (type(error), error.trouble) == (AccountProblem, "key_refused")


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou])
@pytest.mark.parametrize("status", [401, 403, 404, 413])
def test_a_web_servers_page_in_the_place_of_a_poll_ends_no_job(module: ModuleType, status: int) -> None:
    assert isinstance(poll(module, {}, status), Unavailable | AccountProblem)


@pytest.mark.parametrize("module", [*RELAYS.values(), volcengine, geekai, jiekou])
@pytest.mark.parametrize("status", [302, 303, 307, 408, 500, 502, 503, 504, 520])
def test_other_pages_prove_nothing(module: ModuleType, status: int) -> None:
    assert isinstance(submit(module, {}, status), OutcomeUnknown)
    assert isinstance(poll(module, {}, status), Unavailable)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "AUTH_FAILED", AccountProblem),
        (401, "KEY_REVOKED", AccountProblem),
        (401, "INVALID_SIGNATURE", AccountProblem),
        (403, "AUTH_FAILED", AccountProblem),
        (400, "VALIDATION_FAILED", Rejected),
        (429, "RATE_LIMITED", Unavailable),
        (502, "UPSTREAM_FAILED", OutcomeUnknown),
        (500, "INTERNAL_ERROR", OutcomeUnknown),
        (503, "AUTH_FAILED", OutcomeUnknown),
    ],
)
def test_an_open_gateway_to_volcengine_speaks_for_itself(
    status: int, code: str, kind: type[ProviderError]
) -> None:
    error = submit(volcengine, {"error": {"code": code, "message": f"[{code}] no"}}, status)
    assert isinstance(error, kind)
    if isinstance(error, AccountProblem):
        assert error.trouble == "key_refused"


# Volcengine


@pytest.mark.parametrize(
    "result",
    [
        {"task_id": "7"},
        {"data": {"task_id": "7"}},
        {"code": 10000, "data": {"task_id": "7"}},
        {"code": 10000, "task_id": "7"},
    ],
)
def test_the_second_dialect_of_volcengine_is_read(result: dict[str, Any]) -> None:
    metadata = {"RequestId": "r-1", "Action": "JimengT2VV30SubmitTask"}
    accepted = submit(volcengine, {"ResponseMetadata": metadata, "Result": result})
    assert (accepted.remote_id, "r-1" in accepted.detail) == ("7", True)
    done = json.loads(
        json.dumps(result).replace('"task_id": "7"', f'"status": "done", "video_url": "{LINK}"')
    )
    assert poll(volcengine, {"ResponseMetadata": metadata, "Result": done}) == Succeeded(LINK, 3600)
    failed = {"ResponseMetadata": metadata, "Result": {"code": 50411, "data": None}}
    assert poll(volcengine, failed).code == "photo_refused"
    refused = {"ResponseMetadata": {"Error": {"CodeN": 100009}}, "Result": result}
    assert isinstance(submit(volcengine, refused, 401), AccountProblem)


@pytest.mark.parametrize(
    ("status", "fields", "code"),
    [
        (200, {"code": 0, "message": "", "data": None}, "unreachable"),
        (503, {"message": "Service Unavailable"}, "unreachable"),
        (503, {"code": 503, "message": "Service Unavailable"}, "unreachable"),
        (200, {"code": 503, "message": "Service Unavailable"}, "unreachable"),
        (200, {"code": -1, "message": "?"}, "unreachable"),
    ],
)
def test_an_answer_that_is_not_volcengines_ends_no_job(
    status: int, fields: dict[str, Any], code: str
) -> None:
    error = poll(volcengine, fields, status)
    assert (type(error), error.code) == (Unavailable, code)


def test_volcengines_other_codes() -> None:
    assert poll(volcengine, {"code": 0, "data": {"status": "done", "video_url": LINK}}) == Succeeded(
        LINK, 3600
    )
    assert submit(volcengine, {"code": 0, "data": {"task_id": "7"}}).remote_id == "7"
    assert submit(volcengine, {"code": 50207, "message": "Image Decode Error"}, 400).code == "input_refused"
    assert isinstance(submit(volcengine, {"code": 50200, "data": None}, 400), AccountProblem)
    assert poll(volcengine, {"code": 10000, "data": {"status": "EXPIRED"}}).code == "expired"


# JieKou


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (404, {"code": 404, "reason": "ROUTE_NOT_FOUND", "message": "route not found"}),
        (404, {"reason": "NOT_FOUND", "message": "?"}),
        (410, {"message": "gone"}),
        (
            400,
            {"reason": "INVALID_REQUEST_BODY", "message": "model kling-2.5-turbo-t2v has been taken offline"},
        ),
        (400, {"reason": "BAD", "message": "unsupported model"}),
    ],
)
def test_a_model_that_went_off_sale_is_the_admins_business(status: int, fields: dict[str, Any]) -> None:
    assert isinstance(submit(jiekou, fields, status), AccountProblem)


def test_a_parameter_that_a_model_does_not_know_is_not_a_model_that_is_gone() -> None:
    message = "for this model duration_seconds 7 is not supported"
    error = submit(jiekou, {"reason": "INVALID_REQUEST_BODY", "message": message}, 400)
    assert (type(error), error.code) == (Rejected, "input_refused")


def test_jiekous_record_may_lie_in_data_and_its_reason_in_error() -> None:
    done = {"task": {"status": "TASK_STATUS_SUCCEED"}, "videos": [{"video_url": LINK, "video_url_ttl": 60}]}
    assert poll(jiekou, {"code": 0, "data": done}) == Succeeded(LINK, 60)
    assert submit(jiekou, {"data": {"task_id": ID}}) == Accepted(ID)
    failed = {"task": {"status": "TASK_STATUS_FAILED", "reason": ""}, "error": "InputImageRiskDetection"}
    assert poll(jiekou, failed).code == "photo_refused"
    broke = submit(jiekou, {"message": "insufficient balance"}, 400)
    assert (type(broke), broke.trouble) == (AccountProblem, "no_balance")
