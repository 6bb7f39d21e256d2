"""Take the pictures of the documentation from the sandbox: `.venv/bin/python docs/screenshots.py`.

Run it after a change of what people see, and look at each picture. It needs Chromium, and an emoji font for
the symbols on buttons (on Debian: fonts-noto-color-emoji fonts-noto-cjk).
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, FilePayload, Locator, Page, async_playwright, expect

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
_QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_FILM_MS = 90_000
_STILL = """film => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  canvas.getContext("2d").drawImage(film, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""
_CARD_WIDTH = 560


async def main() -> None:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    async with _sandbox() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_QUIET)
        still = await _films(browser, address)
        await _cards(browser, address, still)
        await _storyboard(browser, address)
        await _group(browser, address)
        await _inline(browser, address)
        await _operator(browser)
        await browser.close()
    for picture in IMAGES.glob("*.png"):
        # A palette halves what everybody downloads, and a page has few colours.
        Image.open(picture).convert("RGB").quantize(256).save(picture, optimize=True)


async def _films(browser: Browser, address: str) -> bytes:
    """A finished film and the next one's card, wide and by day; then on a phone at night. A still of it."""
    page = await _open(browser, address, 1100, 760)
    await _say(page, "/video a paper boat in the rain")
    await _film(page)
    still = base64.b64decode(await page.locator("video").evaluate(_STILL))
    await _say(page, "/video a lighthouse at dawn 9:16 10s")
    await expect(_last(page)).to_contain_text("%", timeout=_FILM_MS)
    await page.wait_for_timeout(1500)
    await page.screenshot(path=IMAGES / "sandbox.png")
    await _film(page, 2)
    await page.context.close()
    page = await _open(browser, address, 390, 780, dark=True)
    await page.get_by_role("link", name="Dreamreel").click()
    await _film(page, 2)
    await page.wait_for_timeout(500)
    await page.screenshot(path=IMAGES / "phone.png")
    await page.context.close()
    return still


async def _cards(browser: Browser, address: str, still: bytes) -> None:
    """The cards that ask."""
    page = await _open(browser, address, 1100, 1000)
    await _say(page, "a kite above the sea")
    await expect(_last(page).get_by_role("button", name="Generate")).to_be_visible()
    await _shoot(_last(page), "draft.png")
    await _say(page, "", FilePayload(name="night.png", mimeType="image/png", buffer=still))
    await expect(_last(page).get_by_role("button").nth(3)).to_be_visible()
    await _shoot(_last(page), "photo.png")
    await _say(page, "/settings")
    await expect(_last(page)).to_contain_text("Settings of this chat")
    await _shoot(_last(page), "settings.png")
    await page.context.close()


async def _storyboard(browser: Browser, address: str) -> None:
    """The card of a film before a yes, and while its shots are made."""
    page = await _open(browser, address, 1100, 1000)
    await _say(page, "/film\na paper boat in the rain\nit drifts under a bridge 10s\nthe sea at dawn --cut")
    await expect(_last(page).get_by_role("button", name="Make the film")).to_be_visible()
    await _shoot(_last(page), "film-draft.png")
    await _last(page).get_by_role("button", name="Make the film").click()
    await expect(_last(page)).to_contain_text("✅", timeout=_FILM_MS)
    await expect(_last(page).locator("img").first).to_be_visible(timeout=_FILM_MS)
    await _shoot(_last(page), "film-making.png")
    await page.context.close()


async def _group(browser: Browser, address: str) -> None:
    page = await _open(browser, address, 1100, 760)
    await page.get_by_role("link", name="Film night").click()
    await page.get_by_role("radio", name="Ada").check()
    await _say(page, "/video@dreamreel_bot a duel at dawn")
    await _film(page)
    await page.get_by_role("radio", name="Boris").check()
    await _last(page).get_by_role("button", name="Again").click()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=IMAGES / "group.png")
    await page.context.close()


async def _inline(browser: Browser, address: str) -> None:
    """A search among a person's own videos, in a group without the bot."""
    page = await _open(browser, address, 1100, 560)
    await page.get_by_text("Try more").click()
    await page.get_by_role("button", name="A group without the bot").click()
    await page.get_by_text("Try more").click()
    await page.get_by_role("textbox", name="Message").press_sequentially("@dreamreel_bot at dawn")
    await expect(page.get_by_role("option", name="a lighthouse at dawn")).to_be_visible()
    await page.wait_for_timeout(800)
    await page.screenshot(path=IMAGES / "inline.png")
    await page.context.close()


async def _operator(browser: Browser) -> None:
    """The operator's page, on the two weeks that its tests invent."""
    sys.path.insert(0, str(ROOT / "tests"))
    from admin_site import admin_site  # noqa: PLC0415 - see above

    with tempfile.TemporaryDirectory() as folder:
        async with admin_site(Path(folder), lively=True) as site:
            for name, path, width, height, dark in (
                ("admin-now.png", "", 1200, 920, False),
                ("admin-days.png", "/days", 1200, 800, True),
                ("admin-task.png", "/tasks/5ca1ab1e00c0ffee", 390, 844, False),
            ):
                page = await _open(browser, await site.link(), width, height, dark=dark)
                await page.get_by_role("button", name="Open").click()
                await expect(page.get_by_role("heading", name="Now")).to_be_visible()
                await page.goto(f"{site.server.url}/admin{path}")
                await page.screenshot(path=IMAGES / name)
                await page.context.close()


@asynccontextmanager
async def _sandbox() -> AsyncIterator[str]:
    """The address of a sandbox with nothing in it."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "sandbox", "--port", "0"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if process.stdout is None:
        raise RuntimeError("no output")
    while line := (await process.stdout.readline()).decode():
        if found := re.search(r"Open this in a browser:\s+(\S+)", line):
            yield re.sub(r"\x1b\[\d*m", "", found[1])
            break
    process.terminate()
    await process.wait()


async def _open(browser: Browser, address: str, width: int, height: int, *, dark: bool = False) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
    )
    page = await context.new_page()
    await page.goto(address)
    return page


async def _say(page: Page, words: str, *photos: FilePayload) -> None:
    if photos:
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Attach").click()
        await (await choosing.value).set_files(photos)
    await page.get_by_role("textbox", name="Message").fill(words)
    await page.get_by_role("button", name="Send").click()


async def _film(page: Page, many: int = 1) -> None:
    """Wait for so many films; the newest stands still where its words can be read."""
    film = page.locator("video").nth(many - 1)
    await film.wait_for(timeout=_FILM_MS)
    await film.evaluate(
        "film => new Promise(done => { film.pause(); film.onseeked = done; film.currentTime = 2; })"
    )


async def _shoot(card: Locator, name: str) -> None:
    """The card alone, without the empty half of the chat beside it."""
    await card.page.wait_for_timeout(500)
    box = await card.bounding_box()
    if box is None:
        raise RuntimeError(f"{name}: the card is not there")
    box["width"] = min(box["width"], _CARD_WIDTH)
    await card.page.screenshot(path=IMAGES / name, clip=box)


def _last(page: Page) -> Locator:
    return page.get_by_role("article", name="Dreamreel").last


if __name__ == "__main__":
    asyncio.run(main())
