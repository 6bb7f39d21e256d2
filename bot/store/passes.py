"""Passes: what lets an admin into the operator's page: a link good once, the session behind it, its forms.

A store keeps the digest alone: whoever reads the database finds nothing that opens the page.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

PassKind = Literal["link", "session", "form"]


@dataclass(frozen=True, slots=True)
class Pass:
    kind: PassKind
    digest: str
    """Of the token (`digest_of`)."""
    user_id: int
    expires_at: datetime


class PassStore(Protocol):
    async def add_pass(self, made: Pass, now: datetime) -> None:
        """Keep it. Those that have expired by now go."""

    async def find_pass(self, kind: PassKind, digest: str, now: datetime) -> Pass | None:
        """None where there is none, or it has expired."""

    async def take_pass(self, kind: PassKind, digest: str, now: datetime) -> Pass | None:
        """The same, and it is gone: of all who ask for it, in any process, one gets it."""


def new_token() -> str:
    """256 bits that nobody can guess, as text for a link or a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """A token has so many bits that it needs no salt, and a search by digest tells nothing by its time."""
    return hashlib.sha256(token.encode()).hexdigest()
