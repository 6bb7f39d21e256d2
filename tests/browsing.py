"""A real browser without a window, and a page in it in which nothing may go wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)

needs_browser = pytest.mark.skipif(
    # Where it is required, a missing one is a failure.
    not os.environ.get("DREAMREEL_REQUIRE_BROWSER") and not any(map(shutil.which, _NAMES)),
    reason="no Chromium is installed here (on Debian: apt install chromium)",
)


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)))
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield started
        await started.close()


@asynccontextmanager
async def a_page(
    browser: Browser, address: str, *, width: int, height: int, **options: Any
) -> AsyncIterator[Page]:
    """The page, opened again. Nothing may go wrong in it, and nothing may break its policy."""
    context = await browser.new_context(viewport={"width": width, "height": height}, **options)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(address)
    yield page
    await context.close()
    assert wrong == []
