"""What a look at a database found, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Examination:
    """`problem` is the second half of a sentence, empty where nothing is wrong."""

    exists: bool
    in_use: bool = False
    """Whether a bot is running on it."""
    problem: str = ""
    mend: str = ""
    admins: tuple[int, ...] = ()
