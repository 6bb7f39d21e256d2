"""Faults that a test or a person orders: ways in which Telegram and the network can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bot.sandbox.answer import ApiError, Json, bad_request, forbidden, too_many_requests


class FaultKind(Enum):
    FLOOD = "flood"  # 429 with `retry_after`; nothing happens
    FORBIDDEN = "forbidden"  # 403 with `description`; nothing happens
    BAD_REQUEST = "bad request"  # 400 with `description`; nothing happens
    MIGRATED = "migrated"  # 400 with parameters.migrate_to_chat_id = `migrate_to`; nothing happens
    SERVER_ERROR = "server error"  # an HTML page with `status`; nothing happens
    SERVER_ERROR_AFTER = "server error after"  # the same, but the call took effect
    SLOW = "slow"  # the call takes effect; the answer comes after `delay_s`, never if that is None
    DROP = "drop"  # the connection is cut; nothing happens
    DROP_AFTER = "drop after"  # the call takes effect, then the connection is cut


_EFFECT_FIRST = frozenset({FaultKind.SERVER_ERROR_AFTER, FaultKind.SLOW, FaultKind.DROP_AFTER})


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of `method` ("*" = any) that `when` agrees to.

    The first `skip` such calls succeed; `times=None` means forever.
    """

    method: str
    kind: FaultKind
    times: int | None = 1
    skip: int = 0
    when: Callable[[Json], bool] = lambda _params: True
    retry_after: int = 1
    description: str = ""
    migrate_to: int = 0
    status: int = 502
    delay_s: float | None = None

    @property
    def takes_effect(self) -> bool:
        """Return True if the call has its effect before it fails."""
        return self.kind in _EFFECT_FIRST

    def error(self) -> ApiError | None:
        """Return the JSON error, for the kinds that have one."""
        match self.kind:
            case FaultKind.FLOOD:
                return too_many_requests(self.retry_after)
            case FaultKind.FORBIDDEN:
                return forbidden(self.description or "bot was blocked by the user")
            case FaultKind.BAD_REQUEST:
                return bad_request(self.description or "something went wrong")
            case FaultKind.MIGRATED:
                return ApiError(400, MIGRATED, migrate_to_chat_id=self.migrate_to)
            case _:
                return None

    def page(self) -> str:
        """Return the error page of a proxy in front of Telegram."""
        return f"<html><head><title>{self.status}</title></head><body><h1>{self.status}</h1></body></html>"


MIGRATED = "Bad Request: group chat was upgraded to a supergroup chat"


class Faults:
    """The faults that are still to come, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def take(self, method: str, params: Json) -> Fault | None:
        """Return the fault for this call, if one is due, and count it as used."""
        for fault in self._faults:
            if fault.method not in (method, "*") or not fault.when(params) or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None
