"""A provider on this machine: a little Volcengine that checks every call, and breaks off on command. It may
have the other accounts of `provider_accounts.py` too, which check no more than the key.

    async with ProviderServer() as server:
        server.next("submit", Fault.LOST)  # takes the job, and its answer never arrives
        ...  # point the bot at server.base_url
        assert len(server.jobs) == 1

Jobs move on with each poll: in_queue, generating, done with a link to a real MP4, served here too.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Literal, Self

import av
from aiohttp import web
from jimeng_rules import REQ_KEYS, mistakes
from multidict import CIMultiDict
from provider_accounts import KEY, WORDS, Account, account_of, prompt_in
from pydantic import SecretStr

from bot.providers.volcengine import Volcengine
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Http
from bot.providers.wire.signing import Credentials, sign

ACCESS_KEY_ID = "AKEXAMPLE0000TESTONLY"
SECRET_ACCESS_KEY = "c2VjcmV0LWtleS1mb3ItdGVzdHMtb25seQ=="
NOW = datetime(2025, 9, 1, 12, 43, 4, tzinfo=UTC)
"""When `volcengine_at` signs: the date of the signing vectors."""

Kind = Literal["submit", "poll", "video"]


class Fault(Enum):
    """What may happen to a call. The first three do nothing of what was asked, the others do all of it."""

    CUT = "the connection is closed without an answer"
    RESET = "the connection is reset"
    HANG = "no answer ever comes"
    LOST = "done, but the connection is closed without an answer"
    HALF = "done, but only half of the answer arrives"
    SILENT = "done, but no answer ever comes"


@dataclass(frozen=True)
class Reply:
    """An answer. `body` is sent as JSON, a string as a page, bytes as they are."""

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """A call that arrived, as it arrived."""

    kind: Kind
    method: str
    path: str
    query: str
    headers: CIMultiDict[str]
    body: bytes

    @property
    def fields(self) -> dict[str, object]:
        parsed: dict[str, object] = json.loads(self.body)
        return parsed


@dataclass
class Job:
    task_id: str
    fields: dict[str, object]
    polls: int = 0
    stopped: bool = False
    """Before it ran, so it costs nothing."""

    @property
    def prompt(self) -> str:
        return prompt_in(self.fields)


class ProviderServer:
    """`statuses` are what the polls of a job tell before it is done; `slots` is how many may run at once.

    `jobs` are the submits that were taken: what a real account would be charged for. `complaints` says
    what a call had that no document allows; leaving the server with one fails the test. `clock`, where
    given, makes signatures expire after a quarter of an hour. `hang_s` is for how long a call that is never
    answered keeps its connection; without one, for ever. `has_all`: it has the other accounts too.
    """

    def __init__(
        self,
        statuses: Sequence[str] = ("in_queue", "generating"),
        *,
        slots: int | None = None,
        video: bytes | None = None,
        credentials: Credentials | None = None,
        clock: Callable[[], datetime] | None = None,
        hang_s: float | None = None,
        has_all: bool = False,
    ) -> None:
        self.statuses = tuple(statuses)
        self.slots = slots
        self.video = video
        self.credentials = credentials or Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        self.jobs: dict[str, Job] = {}
        self.received: list[Received] = []
        self.complaints: list[str] = []
        self.base_url = ""
        self.interfere: Callable[[Kind, Received], Reply | Fault | None] = lambda _kind, _received: None
        """Decides what happens to the calls for which nothing was ordered by `next`."""
        self._clock = clock
        self._hang_s = hang_s
        self._has_all = has_all
        self.withheld: set[str] = set()
        """Jobs whose end is told without a link."""
        self._script: dict[Kind, deque[Reply | Fault | None]] = {
            "submit": deque(),
            "poll": deque(),
            "video": deque(),
        }
        self.answering = asyncio.Event()
        """While a test clears it, calls do what they ask and their answers wait."""
        self.answering.set()
        self._stopped = asyncio.Event()
        self._news = asyncio.Condition()
        app = web.Application(client_max_size=20_000_000)
        app.router.add_route("*", "/videos/{task_id}.mp4", self._answer_video)
        app.router.add_route("*", "/{path:.*}", self._answer_call)
        self._runner = web.AppRunner(app, access_log=None)

    def next(self, kind: Kind, *steps: Reply | Fault | None) -> None:
        """What happens to the next calls of this kind, in order; None is a call without any trouble."""
        self._script[kind].extend(steps)

    async def wait_for(self, kind: Kind, count: int = 1, limit_s: float = 10) -> None:
        """Until `count` calls of this kind have arrived."""
        async with asyncio.timeout(limit_s), self._news:
            await self._news.wait_for(lambda: len(self.calls(kind)) >= count)

    def calls(self, kind: Kind) -> list[Received]:
        return [call for call in self.received if call.kind == kind]

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        self._stopped.set()
        self.answering.set()
        await self._runner.cleanup()
        if kind is None:
            assert self.complaints == []

    async def _answer_call(self, request: web.Request) -> web.StreamResponse:
        account = account_of(request.raw_path) if self._has_all else None
        is_poll = request.query.get("Action") == "CVSync2AsyncGetResult"
        is_poll |= account is not None and request.method != "POST"
        received = await self._receive("poll" if is_poll else "submit", request)
        if account is None:
            return await self._play(received, request, lambda: self._behave(received))
        return await self._play(received, request, lambda: self._sell(account, received, request.raw_path))

    async def _answer_video(self, request: web.Request) -> web.StreamResponse:
        received = await self._receive("video", request)
        signed = request.query.get("sign") == f"s3cr3t-{request.match_info['task_id']}"
        return await self._play(
            received, request, lambda: self._serve(received) if signed else Reply(403, "expired")
        )

    async def _receive(self, kind: Kind, request: web.Request) -> Received:
        path, _, query = request.raw_path.partition("?")
        received = Received(
            kind, request.method, path, query, CIMultiDict(request.headers), await request.read()
        )
        self.received.append(received)
        async with self._news:
            self._news.notify_all()
        return received

    async def _play(
        self, received: Received, request: web.Request, do: Callable[[], Reply]
    ) -> web.StreamResponse:
        script = self._script[received.kind]
        step = script.popleft() if script else self.interfere(received.kind, received)
        if isinstance(step, Reply):
            return _response(step)
        if step in {Fault.CUT, Fault.RESET, Fault.HANG}:
            return await self._break(request, step)
        reply = do()
        await self.answering.wait()
        if step is None:
            return _response(reply)
        return await self._break(request, step, reply)

    async def _break(
        self, request: web.Request, fault: Fault | None, reply: Reply | None = None
    ) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        match fault:
            case Fault.HANG | Fault.SILENT:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._hang_s):
                        await self._stopped.wait()
            case Fault.RESET:
                link = transport.get_extra_info("socket")
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Fault.HALF:
                assert reply is not None
                body = _bytes(reply.body)
                lines = {
                    "Content-Length": str(len(body)),
                    "Content-Type": "application/json",
                    **reply.headers,
                }
                head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                start = f"HTTP/1.1 {reply.status} Half\r\n{head}\r\n".encode()
                transport.write(start + body[: len(body) // 2])
                transport.close()
                return web.Response()
        transport.abort()
        return web.Response()

    # The little Volcengine

    def _behave(self, received: Received) -> Reply:
        refusal = self._refusal(received)
        if refusal:
            return refusal
        if received.fields.get("req_key") not in REQ_KEYS:
            return failure(50400, "Access Denied: Internal Error", 401)
        return self._take(received.fields) if received.kind == "submit" else self._poll(received.fields)

    def _refusal(self, received: Received) -> Reply | None:
        """The gateway's part: the operation and the signature of what really arrived."""
        query = [
            (name, value) for name, _, value in (pair.partition("=") for pair in received.query.split("&"))
        ]
        if dict(query).get("Version") != "2022-08-31":
            return gateway_error(100008, "InvalidActionOrVersion", 404)
        if received.method != "POST":
            return gateway_error(100004, "MissingRequestInfo", 400)
        if "Authorization" not in received.headers:
            return gateway_error(100003, "MissingAuthenticationToken", 401)
        if f"Credential={self.credentials.access_key_id}/" not in received.headers["Authorization"]:
            message = f"The accesskey [{self.credentials.access_key_id}] included in the request is invalid."
            return gateway_error(100009, "InvalidAccessKey", 401, message)
        at = datetime.strptime(received.headers["X-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if self._clock and abs((self._clock() - at).total_seconds()) > 900:
            return gateway_error(100006, "InvalidTimestamp", 400)
        expected = sign(
            self.credentials,
            host=received.headers["Host"],
            path=received.path,
            query=query,
            body=received.body,
            at=at,
            content_type=received.headers["Content-Type"],
        )
        if any(received.headers.get(name) != value for name, value in expected.items()):
            return gateway_error(100010, "SignatureDoesNotMatch", 401)
        return None

    def _take(self, fields: dict[str, object]) -> Reply:
        wrong = mistakes(fields)
        if wrong:
            self.complaints += wrong
            return failure(50215, "Input invalid for this service.", 400)
        running = sum(job.polls <= len(self.statuses) for job in self.jobs.values())
        if self.slots is not None and running >= self.slots:
            return failure(50430, "Request Has Reached API Concurrent Limit, Please Try Later", 429)
        task_id = str(7392616336519610409 + len(self.jobs))
        self.jobs[task_id] = Job(task_id, fields)
        return success({"task_id": task_id})

    def _poll(self, fields: dict[str, object]) -> Reply:
        if set(fields) != {"req_key", "task_id"}:
            self.complaints.append(f"a poll with {sorted(fields)}")
        job = self.jobs.get(str(fields.get("task_id")))
        if job is None:
            return success({"status": "not_found"})
        if fields.get("req_key") != job.fields["req_key"]:
            return failure(50400, "Access Denied: Internal Error", 401)
        job.polls += 1
        if job.polls <= len(self.statuses):
            return success({"status": self.statuses[job.polls - 1]})
        return success({"status": "done", "video_url": self._link(job)})

    def _link(self, job: Job) -> str:
        if job.task_id in self.withheld:
            return ""
        return f"{self.base_url}/videos/{job.task_id}.mp4?sign=s3cr3t-{job.task_id}"

    # The other accounts

    def _sell(self, account: Account, received: Received, call: str) -> Reply:
        if received.headers.get("Authorization") != f"Bearer {KEY}":
            self.complaints.append(f"{account.name}: a call without the key")
        if received.kind == "submit":
            job = Job(f"{account.name}-{7001 + len(self.jobs)}", received.fields)
            self.jobs[job.task_id] = job
            return Reply(200, account.taken(job.task_id))
        found = self.jobs.get(account.job_in(call) or "")
        if found is None:
            return Reply(404, {"error": {"code": "NotFound", "message": "task not found"}})
        if received.method == "DELETE":
            if found.polls > len(self.statuses):
                self.complaints.append(f"{account.name}: DELETE for a finished job, which destroys its video")
            found.stopped |= self._told(found) == "in_queue"
            return Reply(200 if found.stopped else 409, {})
        found.polls += not found.stopped
        queued, running, done, stopped = WORDS[account.name]
        if found.polls > len(self.statuses):
            return Reply(200, account.shown(found.task_id, done, self._link(found)))
        word = stopped if found.stopped else queued if self._told(found) == "in_queue" else running
        return Reply(200, account.shown(found.task_id, word, ""))

    def _told(self, job: Job) -> str:
        """What the last poll of a job told."""
        return self.statuses[max(job.polls - 1, 0)] if job.polls <= len(self.statuses) else "done"

    def _serve(self, received: Received) -> Reply:
        video = make_mp4() if self.video is None else self.video
        headers = {"Content-Type": "video/mp4", "ETag": '"one"', "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-", received.headers.get("Range", ""))
        if wanted and received.headers.get("If-Range", '"one"') == '"one"':
            first = int(wanted[1])
            headers["Content-Range"] = f"bytes {first}-{len(video) - 1}/{len(video)}"
            return Reply(206, video[first:], headers)
        return Reply(200, video, headers)


def volcengine_at(base_url: str, http: Http | None = None) -> Volcengine:
    """The adapter with the keys that the server knows; its clock stands still."""
    return Volcengine(
        ACCESS_KEY_ID,
        SecretStr(SECRET_ACCESS_KEY),
        base_url,
        http=http or Http(),
        fetcher=VideoFetcher(frozenset({"127.0.0.1"})),
        clock=lambda: NOW,
    )


def success(data: object) -> Reply:
    return Reply(200, _envelope(10000, "Success", data))


def failure(code: int, message: str, status: int) -> Reply:
    """What Volcengine's service answers when it refuses."""
    return Reply(status, _envelope(code, message, None))


def gateway_error(number: int, word: str, status: int, message: str = "Refused.") -> Reply:
    """What Volcengine's gateway answers before the service sees a call."""
    error = {"CodeN": number, "Code": word, "Message": message}
    metadata = {"RequestId": "20250901120000SYNTHETIC0000000006", "Service": "cv", "Region": "cn-north-1"}
    return Reply(status, {"ResponseMetadata": {**metadata, "Error": error}})


@cache
def make_mp4(seconds: int = 1, width: int = 320, height: int = 192) -> bytes:
    """A real video without sound, as Jimeng makes them: H.264 at 24 frames a second."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(24 * seconds):
            frame = av.VideoFrame(width, height, "rgb24")
            frame.planes[0].update(bytes((number * 10 % 256, 90, 160)) * (frame.planes[0].buffer_size // 3))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _envelope(code: int, message: str, data: object) -> dict[str, object]:
    return {
        "code": code,
        "data": data,
        "message": message,
        "request_id": "20240720103939AF0029465CF6A74E51EC",
        "status": code,
        "time_elapsed": "104.852309µs",
    }


def _response(reply: Reply) -> web.Response:
    kind = "text/html" if isinstance(reply.body, str) else "application/json"
    return web.Response(
        status=reply.status, body=_bytes(reply.body), headers={"Content-Type": kind, **reply.headers}
    )


def _bytes(body: object) -> bytes:
    match body:
        case bytes():
            return body
        case str():
            return body.encode()
        case _:
            return json.dumps(body, ensure_ascii=False).encode()
