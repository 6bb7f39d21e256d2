"""Buttons in a browser of 390 pixels, as a phone has: no label is cut below the narrowest message."""

from __future__ import annotations

import pytest
from browsing import a_browser, a_page, needs_browser
from pictures import photo
from playwright.async_api import expect
from sandbox_client import running_sandbox
from telegram import InlineKeyboardButton

from bot.chat.cards.layout import keyboard
from bot.text import LANGUAGES, phrases
from bot.text.checks import values_in

_LABELS = ("button_", "option_", "camera_move_")
_VALUES = {"model": "seedance-2.0-fast", "price": "¥13.50", "number": "10"}
_AT_ONCE = 60
_CUT = """keys => keys.filter(key => {
  const letters = document.createRange();
  letters.selectNodeContents(key);
  return key.scrollWidth > key.clientWidth || letters.getClientRects().length > 1;
}).map(key => key.textContent)"""


@needs_browser
@pytest.mark.parametrize("in_group", [False, True])
async def test_no_label_is_cut_below_an_upright_picture(in_group: bool) -> None:
    async with running_sandbox() as sandbox, a_browser() as browser:
        chat = sandbox.group if in_group else sandbox.private
        count = 0
        for language in LANGUAGES:
            labels = _labels_of(language)
            for start in range(0, len(labels), _AT_ONCE):
                buttons = [InlineKeyboardButton(one, callback_data="x") for one in labels[start:][:_AT_ONCE]]
                markup = keyboard([buttons[at : at + 3] for at in range(0, len(buttons), 3)])
                await sandbox.bot.send_photo(chat.id, photo(360, 640), caption="x", reply_markup=markup)
                count += len(buttons)
        async with a_page(browser, f"{sandbox.server.page_url}#{chat.id}", width=390, height=844) as page:
            keys = page.locator(".key")
            await expect(keys).to_have_count(count)
            assert await keys.evaluate_all(_CUT) == []


def _labels_of(language: str) -> list[str]:
    """Each label as it stands on a button, shortest first, so that rows hold as many as they can."""
    labels = [
        phrase.format_map({name: _VALUES.get(name, "99") for name in values_in(phrase)})
        for key, phrase in phrases(language).items()
        if key.startswith(_LABELS)
    ]
    return sorted(labels, key=len)
