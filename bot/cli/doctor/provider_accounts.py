"""Check that each provider accepts its key, by polling a job that cannot exist, which costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.cli.doctor.finding import Finding, State
from bot.errors import AccountProblem, ProviderError, Trouble, Unavailable
from bot.provider import Failed, Provider
from bot.request import VideoModel

_NO_JOB = "00000000-0000-4000-8000-000000000000"
_LIMIT_S = 20.0

_TROUBLES: Mapping[Trouble, tuple[str, str]] = {
    "key_refused": ("The key is refused", "Check {keys}."),
    "no_balance": ("The account has no balance", "Top it up."),
    "not_activated": (
        "The key may not use this",
        "Activate it in the provider's console, and check for unpaid bills there.",
    ),
    "model_gone": ("The model is not sold here", "Take it out of the settings."),
    "wrong_clock": ("The time of this machine is refused", "Set its clock by NTP."),
    "wrong_address": ("A web server answers in its place", "Check {settings}_BASE_URL and {keys}."),
    "account": ("The account is refused", "Look at it in the provider's console."),
}


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: State
    seen: str
    mend: str = ""
    reached: bool = True


async def check_account(provider: Provider, limit_s: float = _LIMIT_S) -> list[Finding]:
    """Return one finding, or several if models differ: some have to be activated one by one."""
    verdicts: dict[_Verdict, list[str]] = {}
    for model in provider.models:
        verdict = await _poll(provider, model, limit_s)
        if not verdict.reached:
            # The other models are at the same address.
            return [_finding(provider, verdict, [each.name for each in provider.models])]
        verdicts.setdefault(verdict, []).append(model.name)
    return [_finding(provider, verdict, names) for verdict, names in verdicts.items()]


async def _poll(provider: Provider, model: VideoModel, limit_s: float) -> _Verdict:
    settings = provider.name.upper()
    try:
        async with asyncio.timeout(limit_s):
            status = await provider.poll(_NO_JOB, model)
    except TimeoutError:
        return _Verdict("wrong", f"No answer within {limit_s:g} s.", _unreached(settings), reached=False)
    except AccountProblem as error:
        seen, mend = _TROUBLES[error.trouble]
        return _Verdict(
            "wrong", f"{seen} ({error.detail}).", mend.format(settings=settings, keys=_keys(settings))
        )
    except Unavailable as error:
        if error.code == "unreachable" and error.detail.startswith(("HTTP 4", "HTTP 5", "code ")):
            return _Verdict("warning", f"It answers, but says nothing about the key ({error.detail}).")
        if error.code == "unreachable":
            seen = f"No usable answer ({error.detail})."
            return _Verdict("wrong", seen, _unreached(settings), reached=False)
        seen = f"It answers, but is too busy or has a problem ({error.detail})."
        return _Verdict("warning", seen, "Try again in some minutes.")
    except ProviderError as error:
        return _Verdict("warning", f"It answers, but says nothing about the key ({error.detail}).")
    if isinstance(status, Failed) and "HTTP 404" in status.detail:
        seen = "It answers 404 for a job that cannot exist; so would a wrong address."
        return _Verdict("ok", f"{seen} It does not refuse the key.")
    # It says that the job is unknown, which it would not say without a valid key.
    return _Verdict("ok", "The key is accepted.")


def _finding(provider: Provider, verdict: _Verdict, models: Sequence[str]) -> Finding:
    return Finding(provider.name, verdict.state, f"{', '.join(models)}: {verdict.seen}", verdict.mend)


def _keys(settings: str) -> str:
    if settings == "VOLCENGINE":
        return "VOLCENGINE_ACCESS_KEY_ID and VOLCENGINE_SECRET_ACCESS_KEY"
    return f"{settings}_API_KEY"


def _unreached(settings: str) -> str:
    return f"Check {settings}_BASE_URL, the key and the network."
