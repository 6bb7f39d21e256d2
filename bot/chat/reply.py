"""Reply: what the bot answers, as a phrase of `bot/text/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.request import Problem


@dataclass(frozen=True, slots=True)
class Reply:
    """A phrase to say, and the values for its placeholders."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def about(cls, problem: Problem) -> Reply:
        """Return what is said about a problem."""
        return cls(problem.code, problem.values)
