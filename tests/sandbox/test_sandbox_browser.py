"""The sandbox as a person meets it: the command, the page in a real browser, and real films in it."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browsing import a_browser, a_page, needs_browser
from pictures import photo
from playwright.async_api import Browser, FilePayload, Locator, Page, expect
from running import BOT, BotProcess, says

from bot.text import plain, say

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_browser]
_SOON_MS = 10_000
_FILM_MS = 90_000
"""A preview takes some seconds of a free processor."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """What `python -m bot sandbox` prints for people to open."""
    running_sandbox = BotProcess(tmp_path_factory.mktemp("sandbox"), {}, "sandbox", "--port", "0")
    await running_sandbox.start()
    line = await running_sandbox.prints("Open this in a browser")
    yield line.split()[-1]
    running_sandbox.send(signal.SIGINT)
    assert await running_sandbox.end() in (0, 130)
    assert "Traceback" not in running_sandbox.printed
    assert "does not allow" not in running_sandbox.printed  # no call that Telegram would not take


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, address: str) -> AsyncIterator[Page]:
    """The page, opened again. Nothing may go wrong in it, and nothing may break its policy."""
    async with a_page(browser, address, width=1100, height=800) as opened:
        yield opened


async def test_words_become_a_card_that_counts_and_then_a_film_that_plays(page: Page) -> None:
    await _say(page, "/video a paper boat in the rain")
    card = _last(page)
    await expect(card).to_contain_text("a paper boat in the rain", timeout=_SOON_MS)
    await expect(card).to_contain_text(says("button_cancel"))
    await expect(card).to_contain_text("%", timeout=_SOON_MS)
    first = await card.inner_text()
    await expect(card).not_to_have_text(first, timeout=_SOON_MS)
    await _plays(page, "a paper boat in the rain", 1280, 720)
    await expect(_saying(page, "a paper boat in the rain")).to_contain_text(says("caption_preview", link=""))


async def test_a_photo_with_a_caption_becomes_a_film_of_that_photo(page: Page) -> None:
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Attach").click()
    picture = FilePayload(name="halves.jpg", mimeType="image/jpeg", buffer=photo(800, 800))
    await (await choosing.value).set_files(picture)
    await expect(page.get_by_alt_text("halves.jpg")).to_be_visible()
    await _say(page, "slowly closer")
    card = _last(page)
    await expect(card).to_contain_text(says("card_photo_ratio"), timeout=_SOON_MS)
    film = await _plays(page, "slowly closer", 960, 960)
    left, right = await film.evaluate(_PIXELS)
    assert left[0] > 2 * left[2]
    assert right[2] > 2 * right[0]


async def test_in_a_group_two_people_speak_and_a_card_obeys_its_owner(page: Page) -> None:
    await page.get_by_role("link", name="Film night").click()
    await page.get_by_role("radio", name="Ada").check()
    await _say(page, f"/video@{BOT} a duel at dawn")
    cancel = _last(page).get_by_role("button", name=says("button_cancel"))
    await expect(cancel).to_be_visible(timeout=_SOON_MS)
    await page.get_by_role("radio", name="Boris").check()
    await cancel.click()
    # Boris speaks Russian.
    toast = page.get_by_role("status").filter(has_text=plain(say("ru", "press_not_yours")))
    await expect(toast).to_be_visible(timeout=_SOON_MS)
    await _say(page, "I would have stopped it")
    await page.get_by_role("radio", name="Ada").check()
    await cancel.first.click()
    answer = page.get_by_role("article").filter(has_text=says("cancelled"))
    await expect(answer.or_(page.get_by_text(says("card_stopped")))).to_be_visible(timeout=_SOON_MS)
    boris = page.get_by_role("article", name="Boris")
    await expect(boris).to_contain_text("I would have stopped it")


async def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.type("a kite above the sea")
    await page.keyboard.press("Enter")
    card = _last(page)
    await expect(card).to_contain_text(says("card_draft"), timeout=_SOON_MS)
    await _reach(page, says("button_generate"))
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text(says("button_cancel"), timeout=_SOON_MS)
    await _reach(page, says("button_cancel"))
    await page.keyboard.press("Enter")
    await expect(card.get_by_role("button", name=says("button_cancel"))).to_have_count(0, timeout=_SOON_MS)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()


async def test_tab_reaches_the_composer_without_walking_the_history(page: Page) -> None:
    for number in range(4):
        await _say(page, f"/models {number}")
    await expect(page.locator("article.own").last).to_contain_text("/models 3", timeout=_SOON_MS)
    await expect(page.locator("#log [tabindex='0']").first).to_be_attached()
    stops = await page.evaluate(
        "[...document.querySelectorAll('#log :is(article, a, button, video)')]"
        ".filter(node => node.tabIndex >= 0).map(node => node.closest('article').dataset.messageId)"
    )
    assert len(set(stops)) == 1


async def test_chats_are_ordered_by_their_newest_message(page: Page) -> None:
    await page.get_by_role("link", name="Film night").click()
    await _say(page, "good evening")
    await expect(page.locator("#chats li").first).to_contain_text("Film night", timeout=_SOON_MS)


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(browser: Browser, address: str) -> None:
    async with a_page(browser, address, width=360, height=740) as page:
        await _fits(page)
        await page.get_by_role("link", name="Dreamreel").click()
        await _say(page, f"/video a train to {'w' * 60} --model {'x' * 60}")
        await expect(_last(page)).to_contain_text("x" * 60, timeout=_SOON_MS)
        await _fits(page)
        await page.get_by_role("link", name="Back to chats").click()
        await expect(page.get_by_role("link", name="Film night")).to_be_visible()


_PLAYS = "film => film.readyState >= 2 && film.currentTime > 0.4"
_SOUND = "film => film.captureStream().getAudioTracks().length"
_PIXELS = """async film => {
  film.pause();
  film.currentTime = 0.1;
  await new Promise(done => film.onseeked = done);
  const canvas = Object.assign(document.createElement('canvas'), {width: 8, height: 8});
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  pen.drawImage(film, 0, 0, 8, 8);
  return [1, 6].map(x => [...pen.getImageData(x, 4, 1, 1).data]);
}"""


async def test_the_admin_of_the_sandbox_comes_to_the_operators_page(page: Page) -> None:
    await _say(page, "/admin")
    link = _last(page).get_by_role("link")
    await expect(link).to_contain_text("/admin/login#")
    async with page.context.expect_page() as opening:
        await link.click()
    operator = await opening.value
    await operator.get_by_role("button", name="Open").click()
    await expect(operator.get_by_role("heading", name="Now")).to_be_visible(timeout=_SOON_MS)
    await expect(operator.get_by_role("heading", name="preview")).to_be_visible()


async def _plays(page: Page, words: str, width: int, height: int) -> Locator:
    """The film of these words, once it has begun to play by itself.

    Its card need not be the last message: where a film took a while, a reply says that it is ready.
    """
    film = _saying(page, words).locator("video")
    await film.wait_for(timeout=_FILM_MS)
    handle = await film.element_handle()
    await page.wait_for_function(_PLAYS, arg=handle, timeout=_FILM_MS)
    assert await film.evaluate("film => [film.videoWidth, film.videoHeight]") == [width, height]
    assert 4.5 < await film.evaluate("film => film.duration") < 5.5
    assert await film.evaluate(_SOUND) == 1
    return film


def _saying(page: Page, words: str) -> Locator:
    """The bot's first message with these words."""
    return page.get_by_role("article", name="Dreamreel").filter(has_text=words).first


async def _say(page: Page, words: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(words)
    await page.get_by_role("button", name="Send").click()


async def _reach(page: Page, name: str) -> None:
    """Walk backwards from where the focus is, to the button with these words."""
    for _ in range(30):
        if await page.evaluate("document.activeElement.innerText") == name:
            return
        await page.keyboard.press("Shift+Tab")
    raise AssertionError(f"{name} cannot be reached")


async def _fits(page: Page) -> None:
    wide = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def _last(page: Page) -> Locator:
    """The bot's newest message, as it is from here on."""
    return page.get_by_role("article", name="Dreamreel").last
