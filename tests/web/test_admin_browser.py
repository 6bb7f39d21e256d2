"""The operator's page in a real browser: with mouse and keyboard, on a phone, light and dark."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from admin_site import ADMIN, NOW, PROMPT, AdminSite, a_task, admin_site
from browsing import a_browser, a_page, needs_browser
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_browser]

PAGES = [
    "",
    "/days",
    "/days?days=90",
    "/tasks",
    "/tasks/5ca1ab1e00c0ffee",
    "/people/7001",
    "/record",
    "/settings",
]
TASK = "/tasks/5ca1ab1e00c0ffee"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AdminSite]:
    async with admin_site(tmp_path_factory.mktemp("admin"), lively=True) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as started:
        yield started


@asynccontextmanager
async def entered(browser: Browser, site: AdminSite, **options: Any) -> AsyncIterator[Page]:
    """Inside, by the link from the chat."""
    size = {"width": 1200, "height": 900} | options
    async with a_page(browser, await site.link(), **size) as page:
        await page.get_by_role("button", name="Open", exact=True).click()
        await expect(page.get_by_role("heading", name="Now")).to_be_visible()
        yield page


async def test_a_link_opens_the_page_by_one_tap_and_leaves_no_code_behind(
    browser: Browser, site: AdminSite
) -> None:
    link = await site.link()
    async with a_page(browser, link, width=390, height=844) as page:
        assert page.url == f"{site.server.url}/admin/login"
        await expect(page.get_by_label("The code")).to_be_hidden()
        await expect(page.get_by_role("main").get_by_role("button")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Now")).to_be_visible()
        (cookie,) = await page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


async def test_without_scripts_the_code_is_pasted(browser: Browser, site: AdminSite) -> None:
    link = await site.link()
    async with a_page(browser, link, width=800, height=600, java_script_enabled=False) as page:
        await page.get_by_label("The code").fill(link.partition("#")[2])
        await page.get_by_role("button", name="Open", exact=True).click()
        await expect(page.get_by_role("heading", name="Now")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1200, 900), (360, 740)])
async def test_every_page_fits_and_can_be_read(
    browser: Browser, site: AdminSite, scheme: str, width: int, height: int
) -> None:
    async with entered(browser, site, width=width, height=height, color_scheme=scheme) as page:
        for path in PAGES:
            await page.goto(f"{site.server.url}/admin{path}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert await page.evaluate(_WORST_CONTRAST) >= 4.5, path  # WCAG 2.2, AA


async def test_a_setting_is_changed_and_taken_back_and_a_bad_value_is_one_sentence(
    browser: Browser, site: AdminSite
) -> None:
    async with entered(browser, site) as page:
        await page.get_by_role("link", name="Settings").click()
        row = page.get_by_role("row", name=re.compile("OPEN_TASKS_PER_USER"))
        await row.get_by_role("textbox").fill("many")
        await row.get_by_role("button", name="Change").click()
        await expect(page.get_by_role("alert")).to_contain_text("OPEN_TASKS_PER_USER should be: ")
        await row.get_by_role("textbox").fill("3")
        await page.keyboard.press("Enter")
        await expect(row).to_contain_text("changed by Olga")
        await expect(row.locator("[data-label=Value]")).to_have_text("3")
        await row.get_by_role("button", name="Take back").click()
        await expect(row.locator("[data-label=Value]")).to_have_text("5")
        await expect(row).to_contain_text("default")
        told = [(one.name, one.value, one.by) for one in await site.store.audit.entries(2)]
        assert told == [("OPEN_TASKS_PER_USER", None, ADMIN), ("OPEN_TASKS_PER_USER", "3", ADMIN)]


async def test_what_a_person_may_have_is_changed_on_their_page(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await page.goto(f"{site.server.url}/admin/people/7002")
        await page.get_by_label("A day").fill("4")
        await page.get_by_label("At once").fill("unlimited")
        await page.get_by_role("button", name="Change").click()
        await expect(page.get_by_label("A day")).to_have_value("4")
        await expect(page.get_by_label("At once")).to_have_value("unlimited")
    names = {change.name: change.value for change in await site.store.audit.in_force(7002)}
    assert names == {"daily_videos": "4", "open_tasks": "unlimited"}


async def test_plots_say_their_numbers_to_whoever_cannot_see_them(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await page.get_by_role("link", name="Days").click()
        for title in ("Requests a day, by outcome", "Waits from the request", "Money a day, by model"):
            await expect(page.get_by_role("img", name=title)).to_be_visible()
        titles = await page.locator("svg.plot").first.locator("title").all_text_contents()
        assert len(titles) == 14
        assert re.fullmatch(r"14 May: made \d+, failed \d+.*", titles[-1])
        await page.get_by_text("The same as numbers").click()
        await expect(page.get_by_role("cell", name="14 May")).to_be_visible()


async def test_the_keyboard_alone_puts_a_task_first(browser: Browser, site: AdminSite) -> None:
    site.before += len(await site.done())
    async with entered(browser, site) as page:
        await _press_until(page, "ba5eba11")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Task ba5eba11")).to_be_visible()
        await _press_until(page, "Put first")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Put first?")).to_be_visible()
        await expect(page.get_by_role("button", name="Put first")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Task ba5eba11")).to_be_visible()
    assert await site.done() == [("first", "ba5eba11f00d1234", 1001)]


async def test_a_double_click_makes_one_move(browser: Browser, site: AdminSite) -> None:
    site.before += len(await site.done())
    async with entered(browser, site) as page:
        await page.goto(f"{site.server.url}/admin{TASK}/cancel")
        await page.get_by_role("button", name="Stop this task").dblclick()
        await expect(page.get_by_role("heading", name="Task 5ca1ab1e")).to_be_visible()
    assert await site.done() == [("cancel", "5ca1ab1e00c0ffee", 1001)]


async def test_models_are_paused_and_people_kept_out_on_a_phone(browser: Browser, site: AdminSite) -> None:
    site.before += len(await site.done())
    async with entered(browser, site, width=390, height=844, has_touch=True) as page:
        await page.get_by_role("link", name="Pause all").tap()
        await page.get_by_role("button", name="Pause").tap()
        await page.get_by_role("link", name="go on", exact=True).tap()
        await page.get_by_role("button", name="Go on").tap()
        await page.get_by_role("link", name="Chiara").tap()
        await page.get_by_role("link", name="Ban").tap()
        await page.get_by_role("button", name="Ban").tap()
        await expect(page.get_by_role("heading", name="Chiara")).to_be_visible()
    assert await site.done() == [
        ("pause", "", 1001),
        ("resume", "geekai-jimeng", 1001),
        ("banned", "7003", 1001),
    ]


async def test_what_goes_on_is_drawn_anew_by_itself(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await expect(page.get_by_role("link", name="feedbeef")).to_have_count(0)
        await site.store.tasks.add(a_task("feedbeef00000000", NOW))
        await expect(page.get_by_role("link", name="feedbeef")).to_be_visible(timeout=30_000)


async def test_words_are_shown_by_a_button(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await page.goto(f"{site.server.url}/admin{TASK}")
        await expect(page.get_by_text(PROMPT)).to_have_count(0)
        await page.get_by_role("button", name="Show the words").click()
        await expect(page.get_by_text(PROMPT)).to_be_visible()


async def test_tasks_are_filtered_and_leafed_through(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await page.get_by_role("link", name="Tasks").click()
        await page.get_by_role("link", name="Older").click()
        await page.get_by_role("link", name="Newest").click()
        await page.get_by_label("State").select_option("cancelled")
        await page.get_by_role("button", name="Show").click()
        marks = await page.locator(".mark").all_text_contents()
        assert set(marks) == {"cancelled"}


async def test_leaving_closes_the_door(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_role("heading", name="The operator's page")).to_be_visible()
        assert await page.context.cookies() == []


async def test_a_month_is_downloaded(browser: Browser, site: AdminSite) -> None:
    async with entered(browser, site) as page:
        await page.get_by_role("link", name="Days").click()
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name="2026-05.csv").click()
        download = await waiting.value
        assert download.suggested_filename == "dreamreel-2026-05.csv"


async def _press_until(page: Page, name: str) -> None:
    """Tab until the focus is on the link of that name."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"the keyboard never came to {name}")


_WORST_CONTRAST = """() => {
  const channel = value => value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const [r, g, b, alpha = 1] = parts(getComputedStyle(node).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  let worst = 21;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = parts(node.closest("svg") ? style.fill : style.color).slice(0, 3);
    const [one, other] = [light(ink), light(ground(node))].sort((a, b) => b - a);
    worst = Math.min(worst, (one + 0.05) / (other + 0.05));
  }
  return worst;
}"""
