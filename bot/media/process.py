"""Run heavy work in worker processes that can be killed, never on the event loop."""

from __future__ import annotations

import os
import select
import signal
import threading
import traceback
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import BrokenWorkerProcess, CapacityLimiter, move_on_after, to_process
from anyio.lowlevel import RunVar

from bot.errors import MediaError

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

_limiter: RunVar[CapacityLimiter] = RunVar("bot.media.process")


async def run_in_process(
    function: Callable[[*_Arguments], _Result], *args: *_Arguments, limit_s: float
) -> _Result:
    """Return `function(*args)`, computed in a worker process; one runs at a time for each processor.

    `function` is at the top of a module, and its arguments and result can be pickled. The limit counts from
    when the work begins, not while it waits for a free processor.

    Raises the function's own `MediaError`; `MediaError("media_timeout")` if the limit has passed (the process
    is killed); `MediaError("media_crashed")` if the process died or the function failed otherwise.
    """
    async with _one_for_each_processor():
        with move_on_after(limit_s):
            try:
                return await to_process.run_sync(_work, function, args, cancellable=True)
            except BrokenWorkerProcess as error:
                raise MediaError("media_crashed", f"{function.__name__}: the process died") from error
        raise MediaError("media_timeout", f"{function.__name__} took over {limit_s:g} s", limit_s=limit_s)


def _one_for_each_processor() -> CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        # A container may own fewer processors than the machine has.
        count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        limiter = CapacityLimiter(count or 1)
        _limiter.set(limiter)
        return limiter


_guarded = threading.Event()


def _work(function: Callable[[*_Arguments], _Result], args: tuple[*_Arguments]) -> _Result:
    """Call the function, in the worker process."""
    if not _guarded.is_set():
        _guarded.set()
        _ignore_signals()
    try:
        return function(*args)
    except MediaError:
        raise
    except Exception as error:  # noqa: BLE001 - not every exception can be pickled, and no traceback
        raise MediaError("media_crashed", "".join(traceback.format_exception(error))) from None


def _ignore_signals() -> None:
    # Ctrl-C and service managers signal the whole process group. The parent decides when this work ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, name="parent watch", daemon=True).start()


def _exit_with_parent() -> None:
    # Standard input is the parent's pipe: it hangs up when the parent ends, however it ends. The work would
    # otherwise go on without a reader of its result.
    hung_up = select.poll()
    hung_up.register(0, select.POLLHUP)
    hung_up.poll()
    os._exit(1)
