"""Inline mode as a person meets it on the page: a list above the composer, and a chooser of chats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from browsing import a_browser, a_page, needs_browser
from playwright.async_api import Page, expect
from sandbox_client import Sandbox, png, running_sandbox
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, SwitchInlineQueryChosenChat

pytestmark = needs_browser
_PAGE = 20


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        answering = asyncio.create_task(_answer_queries(running))
        yield running
        answering.cancel()
        assert running.world.complaints == []


@pytest.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[Page]:
    async with (
        a_browser() as browser,
        a_page(browser, sandbox.server.page_url, width=1100, height=800) as one,
    ):
        yield one


async def _answer_queries(sandbox: Sandbox) -> None:
    """Offer two pages of a video to whoever asks, and a button to whoever typed words."""
    sent = await sandbox.bot.send_video(sandbox.private.id, b"a film", thumbnail=png(320, 180))
    assert sent.video is not None
    offset = 0
    while True:
        answer = await sandbox.call("getUpdates", offset=offset, timeout=10)
        for update in answer["result"]:
            offset = update["update_id"] + 1
            if query := update.get("inline_query"):
                first = int(query["offset"] or 0)
                results = [
                    {"type": "video", "id": str(n), "video_file_id": sent.video.file_id, "title": f"Boat {n}"}
                    for n in range(first, first + _PAGE)
                ]
                button = {"text": f"Make: {query['query']}", "start_parameter": "r_1"}
                more = {"button": button} if query["query"] else {"next_offset": "" if first else str(_PAGE)}
                await sandbox.call("answerInlineQuery", inline_query_id=query["id"], results=results, **more)


async def _weekend(page: Page) -> None:
    await page.get_by_text("Try more").click()
    await page.get_by_role("button", name="A group without the bot").click()
    await expect(page.get_by_role("heading", name="Weekend")).to_be_visible()


async def test_a_chosen_result_is_sent_to_a_group_without_the_bot(page: Page) -> None:
    await _weekend(page)
    await expect(page.locator("#status")).to_have_text("3 members: Ada, Boris, 晨")
    await page.get_by_role("textbox", name="Message").press_sequentially("@dreamreel_bot ")
    await expect(page.get_by_role("option", name="Boat 0")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article")).to_contain_text("via @dreamreel_bot")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")


async def test_the_end_of_the_list_brings_the_next_page(page: Page) -> None:
    await page.get_by_role("textbox", name="Message").press_sequentially("@dreamreel_bot ")
    await expect(page.get_by_role("option")).to_have_count(_PAGE)
    await page.get_by_role("option").last.scroll_into_view_if_needed()
    await expect(page.get_by_role("option")).to_have_count(2 * _PAGE)


async def test_the_button_above_the_results_opens_the_private_chat(page: Page, sandbox: Sandbox) -> None:
    await _weekend(page)
    await page.get_by_role("textbox", name="Message").press_sequentially("@dreamreel_bot a boat")
    await expect(page.get_by_role("option", name="Boat 0")).to_have_attribute("aria-selected", "true")
    await page.get_by_role("option", name="Make: a boat").click()
    await expect(page.get_by_role("article").last).to_contain_text("/start r_1")
    assert sandbox.world.messages(sandbox.private)[-1]["text"] == "/start r_1"


async def test_a_button_lets_a_person_choose_the_chat_of_a_query(page: Page, sandbox: Sandbox) -> None:
    chosen = SwitchInlineQueryChosenChat("a kite", allow_group_chats=True)
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Share", switch_inline_query_chosen_chat=chosen)]])
    await sandbox.bot.send_message(sandbox.private.id, "Here it is", reply_markup=keyboard)
    await page.get_by_role("button", name="Share").click()
    await expect(page.locator("#chooserList li")).to_have_count(1)  # groups alone
    await page.locator("#chooserList").get_by_role("button", name="Film night").click()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("@dreamreel_bot a kite")
    await page.get_by_role("option", name="Boat 0").click()
    await expect(page.get_by_role("article").last).to_contain_text("via @dreamreel_bot")
    assert "via_bot" in sandbox.world.messages(sandbox.group)[-1]


async def test_where_inline_mode_is_off_the_words_are_a_message(page: Page, sandbox: Sandbox) -> None:
    await page.get_by_text("Try more").click()
    await page.get_by_role("button", name="Inline mode: on").click()
    await expect(page.get_by_role("button", name="Inline mode: off")).to_be_visible()
    await page.get_by_role("textbox", name="Message").press_sequentially("@dreamreel_bot a boat")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article").last).to_contain_text("@dreamreel_bot a boat")
    assert not sandbox.world.updates.history[-1].get("inline_query")
