"""Tokens that let an admin into the operator's page: a link good once, the session behind it, its forms.

A store keeps only the digest: a reader of the database finds nothing that opens the page.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

TokenKind = Literal["link", "session", "form"]


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    digest: str
    """Of its text (`digest_of`)."""
    user_id: int
    expires_at: datetime


class TokenStore(Protocol):
    async def add(self, token: Token, now: datetime) -> None:
        """Store it, and delete those that have expired by now."""

    async def find(self, kind: TokenKind, digest: str, now: datetime) -> Token | None:
        """Return None if there is none, or it has expired."""

    async def consume(self, kind: TokenKind, digest: str, now: datetime) -> Token | None:
        """Find and delete it: of all who ask for it, in any process, one gets it."""


def new_token() -> str:
    """Return 256 bits that nobody can guess, as text for a link or a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return what is stored of a token. It has so many bits that it needs no salt, and a search by digest
    tells nothing by its time."""
    return hashlib.sha256(token.encode()).hexdigest()
