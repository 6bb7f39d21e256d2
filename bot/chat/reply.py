"""Reply: what the bot answers, as a phrase of `bot/text/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """A phrase to say, and the values for its placeholders."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
