"""Log in to the operator page: a link that works once, the session behind it, CSRF tokens on its forms.

The token of a link is in the fragment of the URL, which browsers never send; a button on the page posts it.
So neither a log of URLs nor a program that previews links can use it up.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from bot.log import get_log
from bot.store.tokens import Token, TokenStore, digest_of, new_token
from bot.web.admin.context import AdminContext

LOGIN = "/admin/login"
LINK_LIVES = timedelta(minutes=10)
SESSION_LIVES = timedelta(hours=12)
_FORM_LIVES = timedelta(hours=1)
_COOKIE = "dreamreel_admin"


async def make_link(tokens: TokenStore, address: str, user_id: int, now: datetime) -> str:
    """Return a link that lets one admin in, once, within `LINK_LIVES`. `address` is that of the private
    server."""
    token = new_token()
    await tokens.add(Token("link", digest_of(token), user_id, now + LINK_LIVES), now)
    return f"{address}{LOGIN}#{token}"


class Auth:
    def __init__(self, sources: AdminContext) -> None:
        self._tokens: TokenStore = sources.store.tokens
        self._is_admin = sources.is_admin
        self._has_tls = sources.has_tls
        self._clock: Callable[[], datetime] = sources.clock
        self._log = get_log(__name__)

    async def who(self, request: web.Request) -> int | None:
        """Return the admin of this session; None if there is none, or if they are no longer an admin."""
        token = request.cookies.get(_COOKIE, "")
        found = await self._tokens.find("session", digest_of(token), self._clock()) if token else None
        return found.user_id if found and await self._is_admin(found.user_id) else None

    async def enter(self, token: str, to: web.StreamResponse) -> bool:
        """Use up the token of a link. Return True if it was valid; `to` then carries a session."""
        now = self._clock()
        found = await self._tokens.consume("link", digest_of(token), now)
        if found is None or not await self._is_admin(found.user_id):
            self._log.warning("a login to the operator's page was refused")
            return False
        session = new_token()
        await self._tokens.add(Token("session", digest_of(session), found.user_id, now + SESSION_LIVES), now)
        to.set_cookie(
            _COOKIE,
            session,
            path="/admin",
            max_age=int(SESSION_LIVES.total_seconds()),
            httponly=True,
            samesite="Strict",
            secure=self._has_tls,
        )
        self._log.info("an admin has logged in to the operator's page", admin=found.user_id)
        return True

    async def leave(self, request: web.Request, to: web.StreamResponse) -> None:
        await self._tokens.consume("session", digest_of(request.cookies.get(_COOKIE, "")), self._clock())
        to.del_cookie(_COOKIE, path="/admin", httponly=True, samesite="Strict", secure=self._has_tls)

    def csrf_token(self, request: web.Request, purpose: str) -> str:
        """Return a token that proves that a form for `purpose` was drawn for this session."""
        session = request.cookies.get(_COOKIE, "")
        return hmac.digest(session.encode(), purpose.encode(), "sha256").hex()

    async def one_time_csrf_token(self, request: web.Request, user_id: int, purpose: str) -> str:
        """Return such a token for an action that runs once, however often the form is sent."""
        now, token = self._clock(), new_token()
        digest = digest_of(f"{token} {self.csrf_token(request, purpose)}")
        await self._tokens.add(Token("form", digest, user_id, now + _FORM_LIVES), now)
        return token

    def is_csrf_token_valid(self, request: web.Request, purpose: str, csrf_token: str) -> bool:
        return hmac.compare_digest(self.csrf_token(request, purpose).encode(), csrf_token.encode())

    async def consume_csrf_token(self, request: web.Request, purpose: str, token: str) -> bool:
        """Return True the first time that a form with a `one_time_csrf_token` is sent."""
        digest = digest_of(f"{token} {self.csrf_token(request, purpose)}")
        return await self._tokens.consume("form", digest, self._clock()) is not None


def is_from_here(request: web.Request) -> bool:
    """Return True if a form was sent by one of our own pages, as far as the browser says."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or origin.partition("://")[2] == request.host
