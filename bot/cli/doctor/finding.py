"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong"]
"""`wrong`: the bot, or a part that was set up, cannot work. `warning`: it can, or that is not certain."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. `what` is a word that scripts may rely on; `seen` and `mend` are sentences for a person."""

    what: str
    state: State
    seen: str
    mend: str = ""
    """What to do about it; empty if nothing has to be done."""
