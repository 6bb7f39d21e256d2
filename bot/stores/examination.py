"""What examining a database found, whichever engine it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Examination:
    """`problem` is the second half of a sentence, empty if nothing is wrong."""

    exists: bool
    in_use: bool = False
    """A bot is running on it."""
    problem: str = ""
    mend: str = ""
    admins: tuple[int, ...] = ()
