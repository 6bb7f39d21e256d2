"""Run heavy work in worker processes that can be killed, never on the event loop."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import BrokenWorkerProcess, CapacityLimiter, move_on_after, to_process
from anyio.lowlevel import RunVar

from bot.errors import MediaError
from bot.media.atomic_write import is_disk_error
from bot.media.memory import bound_worker, choose_processors, machine_memory, worker_bytes, worker_count

_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")

READINGS = 2
"""Of a file that led to one of `CRASHES`; then it is given up."""
_limiter: RunVar[CapacityLimiter] = RunVar("bot.media.process")
_foreign_limiter: RunVar[CapacityLimiter] = RunVar("bot.media.process.foreign")
_ROOMY_BYTES = 1_500_000_000


async def run_in_process(
    function: Callable[[*_Arguments], _Result], *args: *_Arguments, limit_s: float, foreign: bool = False
) -> _Result:
    """Return `function(*args)`, computed in a worker process of bounded memory.

    One runs at a time for each processor, fewer if the machine has too little memory for that. `foreign` work
    is on a file that somebody sent. It has places of its own: nothing else waits for it.

    `function` is at the top of a module, and its arguments and result can be pickled. The limit counts from
    when the work begins, not while it waits for a free processor.

    Raises the function's own `MediaError`; `MediaError("media_timeout")` if the limit has passed (the process
    is killed); `MediaError("disk_full")`; `MediaError("media_crashed")` if the process died, or the function
    took too much memory or failed otherwise.
    """
    _hide_main_module()
    async with _foreign_places() if foreign else _as_many_as_fit():
        with move_on_after(limit_s):
            try:
                # The library's own limiter would make one kind of work wait for the other.
                return await to_process.run_sync(
                    _work, function, args, foreign, cancellable=True, limiter=CapacityLimiter(1)
                )
            except BrokenWorkerProcess as error:
                raise MediaError("media_crashed", f"{function.__name__}: the process died") from error
        raise MediaError("media_timeout", f"{function.__name__} took over {limit_s:g} s", limit_s=limit_s)


def _hide_main_module() -> None:
    """Keep each new worker from loading the program that started it, as `multiprocessing` does: 0.2 s of
    computing, for functions that none of ours needs."""
    vars(sys.modules["__main__"]).pop("__file__", None)


def _as_many_as_fit() -> CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        # A container may own fewer processors than the machine has.
        count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        limiter = CapacityLimiter(worker_count(count or 1, machine_memory()))
        _limiter.set(limiter)
        return limiter


def _foreign_places() -> CapacityLimiter:
    try:
        return _foreign_limiter.get()
    except LookupError:
        limiter = CapacityLimiter(foreign_at_once(machine_memory()))
        _foreign_limiter.set(limiter)
        return limiter


def foreign_at_once(machine_bytes: int) -> int:
    """Return how many files that people sent are read at once.

    So few that they fit into the memory of a small machine. Two if there is room: with one a single slow
    file holds up everybody's for as long as it takes.
    """
    return 2 if machine_bytes > _ROOMY_BYTES else 1


_guarded = threading.Event()


def _work(function: Callable[[*_Arguments], _Result], args: tuple[*_Arguments], foreign: bool) -> _Result:
    """Call the function, in the worker process."""
    if not _guarded.is_set():
        _guarded.set()
        _ignore_signals()
        bound_worker(worker_bytes(machine_memory()))
    choose_processors(foreign)
    try:
        return function(*args)
    except MediaError:
        raise
    except Exception as error:  # noqa: BLE001 - not every exception can be pickled, and no traceback
        code = "disk_full" if is_disk_error(error) else "media_crashed"
        raise MediaError(code, "".join(traceback.format_exception(error))) from None


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
