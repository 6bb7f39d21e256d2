"""The sandbox server: the Bot API for the bot and the chat page for people, at one address."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web

from bot.sandbox.answer import ApiError, Json, bad_request
from bot.sandbox.bot_api.api import carry_out
from bot.sandbox.bot_api.calls import Call, CallRecord
from bot.sandbox.bot_api.methods import (
    ContractError,
    Upload,
    find_method,
    parameters_of,
    read_parameters,
    uploads_meant,
)
from bot.sandbox.bot_api.rate_limits import RateLimits
from bot.sandbox.chat_page import ChatPage
from bot.sandbox.faults import Fault, FaultKind, Faults
from bot.sandbox.uploads import Body, TooLargeError, read_body
from bot.sandbox.webhook import PAUSES_S, Webhook
from bot.sandbox.world import World

T = TypeVar("T")

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{30,}")
_NOT_FOUND = ApiError(404, "Not Found")


class SandboxServer:
    """`async with SandboxServer() as server:`, or `start` and `stop`.

    `server.url` is the bot's Bot API address and `server.token` its token; people open `server.page_url`.
    `server.world` acts for people, `server.calls` lists what the bot did, `server.faults` what goes wrong.
    `page_hosts`: host names besides loopback for the page; `note`: a line below its chats. `local_mode`: act
    as a Bot API server that runs with `--local`.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        token: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        page_hosts: Sequence[str] = (),
        webhook_pauses_s: Sequence[float] = PAUSES_S,
        enforce_rate_limits: bool = False,
        local_mode: bool = False,
        note: str = "",
    ) -> None:
        self.world = world or World()
        self.world.files.local_mode = local_mode
        self.token = token or _new_token(self.world.bot.id)
        self.calls: list[CallRecord] = []
        self.faults = Faults()
        self.webhook = Webhook(self.world.updates, now=self.world.now, pauses_s=webhook_pauses_s)
        self.page = ChatPage(self.world, key=secrets.token_urlsafe(16), hosts=page_hosts, note=note)
        self._host, self._port = host, port
        self._rate_limits = RateLimits() if enforce_rate_limits else None
        self._never = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        # An address for all interfaces can be listened on, but not called.
        host = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104 - it is what was asked for
        return f"http://{host}:{self._port}"

    @property
    def page_url(self) -> str:
        return f"{self.url}/{self.page.key}/"

    async def start(self) -> None:
        """Start to listen; port 0 takes a free one, see `url`. Raises OSError if the port is taken."""
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self.page.add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.world.updates.end_polls()
        self._never.set()
        await self.webhook.close()
        await self.page.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.world.files.close()

    async def __aenter__(self) -> SandboxServer:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    def calls_of(self, *methods: str) -> list[CallRecord]:
        return [call for call in self.calls if call.method in methods]

    async def wait_for(self, predicate: Callable[[], T], timeout_s: float = 10.0) -> T:
        """Return the first true value of `predicate`, called again after each change.

        Raises TimeoutError with the bot's last calls.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (value := predicate()):
                    await self.world.next_change()
        except TimeoutError:
            last = ", ".join(f"{call.method} → {call.error or call.status}" for call in self.calls[-12:])
            raise TimeoutError(f"it did not happen within {timeout_s} s; the last calls: {last}") from None
        return value

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._check_token(request):
            return _refusal(refusal)
        name = request.match_info["method"]
        method = find_method(name)
        if method is None:
            self.world.complain(f"{name}: there is no such method")
            return _refusal(_NOT_FOUND)
        record = CallRecord(method, self.world.now())
        self.calls.append(record)
        try:
            response = await self._carry_out(request, method, record)
        finally:
            self.world.pulse()
        return response

    async def _carry_out(self, request: web.Request, method: str, record: CallRecord) -> web.StreamResponse:
        fault: Fault | None = None
        try:
            body = await read_body(request, self.world.files)
            call = self._read_call(method, body, record)
            fault = self.faults.take(method, call.params)
            if fault is not None and not fault.takes_effect:
                return self._fail(request, fault, record)
            if self._rate_limits is not None:
                self._rate_limits.check(method, call.params, self.world.now())
            record.answer = {"ok": True, "result": await carry_out(method, call)}
            record.status = 200
        except ContractError as problem:
            self.world.complain(str(problem))
            _fill(record, bad_request(str(problem)))
        except TooLargeError as problem:
            _fill(record, problem.api_error)
        except ApiError as refusal:
            _fill(record, refusal)
        except ConnectionResetError:
            return web.Response()  # the bot died in the middle of its call, and nobody is there to read it
        if fault is not None:
            self.world.pulse()
            if fault.kind is not FaultKind.SLOW:
                return self._fail(request, fault, record)
            await self._pause(fault.delay_s)
        return _json(record.answer, record.status or 500)

    def _read_call(self, method: str, body: Body, record: CallRecord) -> Call:
        record.uploads = {part: file.size for part, file in body.files.items()}
        direct = body.files.keys() & parameters_of(method).keys()
        params = read_parameters(method, {part: Upload(part) for part in direct} | body.fields)
        record.params = params
        self.world.pulse()
        if unused := set(body.files) - uploads_meant(params):
            raise ContractError(f"{method}: nothing refers to the uploaded {', '.join(sorted(unused))}")
        return Call(self.world, self.webhook, params, body.files)

    def _fail(self, request: web.Request, fault: Fault, record: CallRecord) -> web.StreamResponse:
        if error := fault.error():
            _fill(record, error)
            return _json(record.answer, error.code)
        if fault.kind in (FaultKind.DROP, FaultKind.DROP_AFTER):
            record.status, record.answer = None, None
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # nobody is there to read it
        record.status, record.answer = fault.status, None
        return web.Response(status=fault.status, text=fault.page(), content_type="text/html")

    async def _pause(self, delay_s: float | None) -> None:
        """Wait until the time is over or the server stops."""
        try:
            async with asyncio.timeout(delay_s):
                await self._never.wait()
        except TimeoutError:
            pass

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if refusal := self._check_token(request):
            return _refusal(refusal)
        file = self.world.files.at(request.match_info["path"])
        if file is None or file.size > self.world.files.download_limit or self.world.files.local_mode:
            return _refusal(_NOT_FOUND)
        return web.FileResponse(file.path, headers={"Content-Type": "application/octet-stream"})

    def _check_token(self, request: web.Request) -> ApiError | None:
        token = request.match_info["token"]
        if not _TOKEN.fullmatch(token):
            return _NOT_FOUND
        if not secrets.compare_digest(token, self.token):
            return ApiError(401, "Unauthorized")
        return None


def _new_token(bot_id: int) -> str:
    """Return a token in Telegram's form: the bot's id and a secret of 35 characters."""
    return f"{bot_id}:{secrets.token_urlsafe(27)[:35]}"


def _fill(record: CallRecord, refusal: ApiError) -> None:
    record.status, record.answer = refusal.code, refusal.body()


def _refusal(refusal: ApiError) -> web.Response:
    return _json(refusal.body(), refusal.code)


def _json(body: Json | None, status: int) -> web.Response:
    return web.json_response(body, status=status, dumps=_dumps)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
