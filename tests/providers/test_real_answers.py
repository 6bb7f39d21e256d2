"""Answers as they were met, replayed over a local server: each means what its example says in our words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from provider_server import Reply
from provider_wire import NAMES, Adapter, Wire, adapter

from bot.errors import ProviderError
from bot.provider import Accepted, Failed, Succeeded
from bot.request import VideoRequest, settle

CASES: dict[str, dict[str, Any]] = {
    f"{name} {path.stem}": json.loads(path.read_text(encoding="utf-8"))
    for name in NAMES
    for pattern in ("real_*.json", "dialect2_*.json")
    for path in sorted((Path(__file__).parents[1] / "fixtures" / name).glob(pattern))
}
KINDS = {"accepted": "Accepted", "succeeded": "Succeeded"}
"""For examples that do not name our words."""


@pytest.mark.parametrize("case", CASES)
async def test_every_answer_that_was_met_is_read(case: str) -> None:
    name, recorded = case.partition(" ")[0], CASES[case]
    request, response, expect = recorded["request"], recorded["response"], recorded["expect"]
    async with Wire(Reply(response["status"], response["body"])) as wire:
        try:
            outcome = await _call(adapter(name, wire.base_url), request)
        except ProviderError as error:
            outcome = error
    ours = expect.get("ours") or {"kind": [KINDS[expect["state"]]]}
    assert type(outcome).__name__ in ours["kind"]
    if "code" in ours:
        assert getattr(outcome, "code", None) in ours["code"]
    status = outcome.status if isinstance(outcome, Accepted) else outcome
    if "video_urls" in expect:
        assert isinstance(status, Succeeded)
        assert status.video_url in expect["video_urls"]
    if isinstance(outcome, Accepted):
        assert outcome.remote_id.endswith(expect["task_id"])
    assert not isinstance(outcome, Failed) or "code" in ours


async def _call(provider: Adapter, request: dict[str, Any]) -> object:
    model = provider.models[0]
    action = request["query"].get("Action", "")
    if request["method"] == "GET" or action.endswith("GetResult"):
        return await provider.poll("1", model)
    wanted = settle(VideoRequest(model=model.name, prompt="a paper boat"), model)
    return await provider.submit(wanted, [], "task-1")
