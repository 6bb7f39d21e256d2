"""What the bot says in answer to somebody, in words of `bot/text/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.request import Problem


@dataclass(frozen=True, slots=True)
class Reply:
    """A phrase to say, and what fills its placeholders."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def about(cls, problem: Problem) -> Reply:
        """Return what is said about a problem."""
        return cls(problem.code, problem.values)
