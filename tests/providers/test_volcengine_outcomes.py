"""What the outcomes of a call to Volcengine mean: above all, whether something may have been charged."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provider_server import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    Fault,
    ProviderServer,
    Reply,
    failure,
    gateway_error,
    success,
    volcengine_at,
)

from bot.errors import AccountProblem, FetchError, OutcomeUnknown, ProviderError, Unavailable
from bot.provider import Failed, Status, StillRunning, Succeeded
from bot.providers.volcengine import Volcengine, read_poll, read_submit
from bot.providers.wire.http import Answer, Call, Http
from bot.request import VideoRequest

MODEL = Volcengine.models[0]
REQUEST = VideoRequest(model=MODEL.name, prompt="a private wish", ratio="16:9", seconds=5, resolution="1080p")


# What may have been charged


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.HANG, Fault.LOST, Fault.HALF, Fault.SILENT])
async def test_a_submit_that_breaks_off_is_unknown_and_never_repeated(fault: Fault) -> None:
    async with ProviderServer() as server:
        server.next("submit", fault)
        with pytest.raises(OutcomeUnknown) as unknown:
            await volcengine_at(server.base_url, Http(submit_limit_s=0.3)).submit(REQUEST, (), "t1")
    assert unknown.value.code == "submit_unknown"
    assert len(server.calls("submit")) == 1
    assert len(server.jobs) == (fault in {Fault.LOST, Fault.HALF, Fault.SILENT})


@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, "<html>502 Bad Gateway</html>"),
        Reply(200, "<html>all is well</html>"),
        Reply(200, b""),
        Reply(204, b""),
        Reply(302, "", {"Location": "/elsewhere"}),
        Reply(200, {"ok": True}),
        Reply(200, {"code": 0, "data": None}),
        Reply(503, {"message": "Service Unavailable"}),
        Reply(404, {"data": {"task_id": "7"}}),
        Reply(200, success({}).body),
        Reply(200, success(None).body),
        Reply(200, success({"task_id": ""}).body),
        Reply(200, success({"task_id": "\ud800"}).body),
        Reply(200, success({"task_id": ["7"]}).body),
        Reply(400, {"code": 50411, "data": {"task_id": "7"}}),
        Reply(500, {"code": 59999, "data": None}),
        gateway_error(100014, "InternalError", 500),
        gateway_error(100016, "InternalServiceTimeout", 504),
        gateway_error(100016, "InternalServiceTimeout", 400),
        gateway_error(100099, "Word", 500),
        Reply(400, {"ResponseMetadata": {"Error": "?"}}),
    ],
)
async def test_an_answer_that_proves_nothing_leaves_a_submit_unknown(reply: Reply) -> None:
    async with ProviderServer() as server:
        server.next("submit", reply)
        with pytest.raises(OutcomeUnknown):
            await volcengine_at(server.base_url).submit(REQUEST, (), "t1")
    assert len(server.received) == 1


async def test_a_code_that_became_text_on_its_way_is_read() -> None:
    async with ProviderServer() as server:
        server.next("submit", Reply(200, {"code": "10000", "data": {"task_id": "7"}}))
        accepted = await volcengine_at(server.base_url).submit(REQUEST, (), "t1")
    assert accepted.remote_id == "7"


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (Reply(429, "<html>slow down</html>"), "busy"),
        (Reply(429, b""), "busy"),
        (Reply(429, {"error": "limit"}), "busy"),
        (gateway_error(100018, "FlowLimitExceeded", 429), "busy"),
        (failure(59999, "", 429), "busy"),
        (failure(50429, "", 200), "busy"),
        (failure(50430, "", 429), "no_slot"),
    ],
)
async def test_any_429_proves_that_nothing_was_accepted(reply: Reply, word: str) -> None:
    async with ProviderServer() as server:
        server.next("submit", Reply(reply.status, reply.body, {"Retry-After": "7"}))
        with pytest.raises(Unavailable) as busy:
            await volcengine_at(server.base_url).submit(REQUEST, (), "t1")
    assert busy.value.code == word
    assert busy.value.retry_after_s == 7


async def test_metadata_without_an_error_does_not_hide_the_answer() -> None:
    body = success({"task_id": "7"}).body
    assert isinstance(body, dict)
    answer = Answer(Call.SUBMIT, 200, {**body, "ResponseMetadata": {"RequestId": "x", "Error": None}})
    assert read_submit(answer).remote_id == "7"


async def test_every_submit_has_a_connection_of_its_own() -> None:
    """A kept connection that the other side closes meanwhile would be an unknown outcome for nothing."""
    async with ProviderServer() as server:
        adapter = volcengine_at(server.base_url)
        for _ in range(3):
            await adapter.submit(REQUEST, (), "t1")
    assert [call.headers["Connection"] for call in server.received] == ["close"] * 3


# Polls


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_poll_that_breaks_off_only_tells_nothing(fault: Fault) -> None:
    async with ProviderServer(statuses=()) as server:
        adapter = volcengine_at(server.base_url, Http(poll_limit_s=0.3))
        accepted = await adapter.submit(REQUEST, (), "t1")
        server.next("poll", fault)
        with pytest.raises(Unavailable) as nothing:
            await adapter.poll(accepted.remote_id, MODEL)
        assert nothing.value.code == "unreachable"
        patient = volcengine_at(server.base_url)
        assert isinstance(await patient.poll(accepted.remote_id, MODEL), Succeeded)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (Reply(200, "<html>maintenance</html>"), "unreachable"),
        (gateway_error(100014, "InternalError", 500), "unreachable"),
        (failure(50500, "", 500), "provider_fault"),
        (failure(59999, "", 503), "provider_fault"),
        (failure(50430, "", 429), "no_slot"),
        (Reply(429, "slow"), "busy"),
    ],
)
async def test_only_the_providers_own_fault_counts_towards_giving_up(reply: Reply, word: str) -> None:
    async with ProviderServer() as server:
        server.next("poll", reply)
        with pytest.raises(Unavailable) as trouble:
            await volcengine_at(server.base_url).poll("1", MODEL)
    assert trouble.value.code == word


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"status": "processing"}, StillRunning()),
        ({"status": "dreaming"}, StillRunning()),
        ({"status": ["done"]}, StillRunning()),
        ({}, StillRunning()),
        (None, StillRunning()),
    ],
)
def test_an_unknown_status_is_still_running(data: object, expected: Status) -> None:
    assert read_poll(_poll(200, success(data).body)) == expected


@pytest.mark.parametrize(
    "url", ["", None, 7, "ftp://x/y", "https://", "https://x/\r\nHost: y", "http://\ud800"]
)
def test_done_without_a_usable_link_is_no_video(url: object) -> None:
    status = read_poll(_poll(200, success({"status": "done", "video_url": url}).body))
    assert isinstance(status, Failed)
    assert status.code == "no_video"


def _poll(status: int, body: object) -> Answer:
    assert isinstance(body, dict)
    return Answer(Call.POLL, status, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
CODES = st.sampled_from([10000, 50411, 50400, 50430, 50500, 59999, 100009, 100014, True]) | JSON
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "code": CODES,
        "data": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "task_id": JSON,
                "status": st.sampled_from(["done", "in_queue", "expired"]) | JSON,
                "video_url": st.text() | JSON,
            },
        ),
        "request_id": JSON,
        "ResponseMetadata": JSON
        | st.fixed_dictionaries({"Error": JSON | st.fixed_dictionaries({"CodeN": CODES, "Message": JSON})}),
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS, st.sampled_from([200, 204, 302, 400, 401, 404, 429, 500, 502, 504]))
def test_whatever_is_answered_only_our_own_errors_come_out(fields: dict[str, object], status: int) -> None:
    try:
        accepted = read_submit(Answer(Call.SUBMIT, status, fields))
        assert accepted.remote_id.isascii()
        assert fields.get("code") in {None, 0, 10000}
    except ProviderError as error:
        str(error).encode()
        if not isinstance(error, OutcomeUnknown):
            assert "code" in fields or "ResponseMetadata" in fields or status in {401, 404, 429}
    try:
        repr(read_poll(Answer(Call.POLL, status, fields))).encode()
    except (Unavailable, AccountProblem) as error:
        str(error).encode()


# Secrets


async def test_no_failure_shows_a_key_a_prompt_or_a_signature(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"key {ACCESS_KEY_ID} {SECRET_ACCESS_KEY} said: {REQUEST.prompt}"
    replies: list[Reply | Fault] = [
        gateway_error(100009, "InvalidAccessKey", 401, echo),
        gateway_error(100014, echo, 500, echo),
        failure(50412, echo, 400),
        failure(59999, echo, 400),
        Reply(502, echo),
        Reply(200, {"code": 10000, "data": {"task_id": echo}, "request_id": echo}),
        Reply(200, b"", {"Content-Length": "nonsense"}),
        Fault.CUT,
        Fault.RESET,
        Fault.HANG,
    ]
    shown = []
    async with ProviderServer() as server:
        adapter = volcengine_at(server.base_url, Http(submit_limit_s=0.3, poll_limit_s=0.3))
        for step in replies:
            server.next("submit", step)
            server.next("poll", step)
            for call in (adapter.submit(REQUEST, (), "t1"), adapter.poll("1", MODEL)):
                try:
                    shown.append(repr(await call))
                except ProviderError as error:
                    shown += [str(error), repr(error), *traceback.format_exception(error)]
        shown += [repr(adapter), str(vars(adapter))]
    text = "\n".join((*shown, caplog.text))
    for secret in (ACCESS_KEY_ID, SECRET_ACCESS_KEY, REQUEST.prompt, "Signature=", "HMAC-SHA256 Cred"):
        assert secret not in text


async def test_a_link_in_an_error_is_cut_to_its_host(tmp_path: Path) -> None:
    async with ProviderServer() as server:
        # In a variable: newer Pythons show the whole of a call in a traceback.
        link = f"{server.base_url}/videos/1.mp4?sign=wrong-s3cr3t"
        with pytest.raises(FetchError) as refused:
            await volcengine_at(server.base_url).fetch(link, tmp_path / "v")
    assert refused.value.code == "link_expired"
    assert "s3cr3t" not in "".join(traceback.format_exception(refused.value))
