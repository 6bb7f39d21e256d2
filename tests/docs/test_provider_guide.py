"""The example adapter of docs/provider.md runs as it is, against a local server."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from provider_server import Reply
from provider_wire import HASTY, KEY, Wire
from pydantic import SecretStr

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Provider, StillRunning, Succeeded
from bot.providers.wire.fetch import VideoFetcher
from bot.request import VideoRequest, check_request, settle

GUIDE = Path(__file__).parents[2] / "docs/provider.md"
LINK = "https://films.example/1.mp4"


def code() -> str:
    (block,) = re.findall(r"```python[^\n]*\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return str(block)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Provider]:
    path = tmp_path_factory.mktemp("guide") / "lantern.py"
    path.write_text(code(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("lantern", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(base_url: str) -> Provider:
        made: Provider = module.Lantern(
            SecretStr(KEY), base_url, http=HASTY, fetcher=VideoFetcher(frozenset({"127.0.0.1"}))
        )
        return made

    return make


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as server_deps:
        yield server_deps


async def test_a_prompt_and_a_photo_are_sent_as_its_api_wants(
    build: Callable[[str], Provider], wire: Wire
) -> None:
    lantern = build(wire.base_url)
    (model,) = lantern.models
    asked = VideoRequest(model="lantern", prompt="a paper boat", photos=("a file",), ratio="9:16")
    assert check_request(asked, model) == []
    wire.replies.append(Reply(200, {"film": "f1"}))
    assert await lantern.submit(settle(asked, model), [b"\xff\xd8"], "ours") == Accepted("f1")
    (call,) = wire.received
    assert (call.method, call.path, call.headers["X-Key"]) == ("POST", "/v1/films", KEY)
    assert json.loads(call.body) == {"text": "a paper boat", "length": 4, "shape": "tall", "still": "/9g="}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"state": "waiting"}, StillRunning(queued=True)),
        ({"state": "drawing", "percent": 40}, StillRunning(0.4)),
        ({"state": "ready", "link": LINK}, Succeeded(LINK, 24 * 3600.0)),
        ({"state": "failed", "why": "film"}, Failed("video_refused")),
        ({"state": "failed", "why": "something new"}, Failed("provider_fault")),
        ({"error": "unknown"}, Failed("not_found")),
    ],
)
async def test_a_poll_says_how_the_film_is(
    build: Callable[[str], Provider], wire: Wire, answer: object, status: object
) -> None:
    lantern = build(wire.base_url)
    wire.replies.append(Reply(200, answer))
    assert await lantern.poll("f1", lantern.models[0]) == status


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, {"error": "key"}), AccountProblem),
        (Reply(400, {"error": "words"}), Rejected),
        (Reply(429, {"error": "full"}), Unavailable),
        (Reply(429, "<h1>slow down</h1>"), Unavailable),
        (Reply(502, "<h1>Bad Gateway</h1>"), OutcomeUnknown),
        (Reply(200, {"film": None}), OutcomeUnknown),
        (None, OutcomeUnknown),
    ],
)
async def test_only_its_own_answer_proves_a_refusal(
    build: Callable[[str], Provider], wire: Wire, reply: Reply | None, error: type[ProviderError]
) -> None:
    lantern = build(wire.base_url)
    asked = settle(VideoRequest(model="lantern", prompt="a paper boat"), lantern.models[0])
    wire.replies.append(reply)
    with pytest.raises(error):
        await lantern.submit(asked, [], "ours")


def test_the_example_passes_lint_and_types(tmp_path: Path) -> None:
    path = tmp_path / "lantern.py"
    path.write_text(code(), encoding="utf-8")
    root = str(GUIDE.parent.parent)
    for arguments in (
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", "--strict", "--follow-imports=silent"],
    ):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                *arguments,
                "--config" if "ruff" in arguments else "--config-file",
                f"{root}/pyproject.toml",
                str(path),
            ],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
