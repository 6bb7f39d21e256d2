"""What a submit ends with after an answer of the provider: checks that the adapters' own tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from provider_server import Fault, ProviderServer, Reply

from bot.errors import OutcomeUnknown, ProviderError, Unavailable
from bot.provider import Provider
from bot.providers.wire.http import Answer
from bot.request import VideoRequest

Make = Callable[[ProviderServer], Provider]


async def check_refusal(
    make: Make, request: VideoRequest, status: int, body: object, kind: type[ProviderError], word: str
) -> None:
    """The answer to a submit proves that nothing was accepted; a pause that it names counts only if waiting
    may help."""
    async with ProviderServer() as server:
        server.next("submit", Reply(status, body, {"Retry-After": "7"}))
        with pytest.raises(kind) as refused:
            await make(server).submit(request, (), "t1")
    assert getattr(refused.value, "trouble", refused.value.code) == word
    assert refused.value.retry_after_s == (7 if kind is Unavailable else None)


async def check_unknown(make: Make, request: VideoRequest, step: Reply | Fault) -> None:
    """What proves nothing leaves a submit unknown, and it is never repeated."""
    async with ProviderServer() as server:
        server.next("submit", step)
        with pytest.raises(OutcomeUnknown) as unknown:
            await make(server).submit(request, (), "t1")
    assert unknown.value.code == "submit_unknown"
    assert len(server.received) == 1


def read_or_error(read: Callable[[Answer], object], answer: Answer) -> object:
    """Return what an answer is read as, or the error that it raises; the log can hold either."""
    try:
        outcome = read(answer)
    except ProviderError as error:
        outcome = error
    repr(outcome).encode()
    return outcome
