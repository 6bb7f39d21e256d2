"""Jimeng at every provider that sells it: its ratios, and the failure code of each moderation code (50412
…)."""

from __future__ import annotations

import re

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")

REFUSALS = {
    50207: "input_refused",  # the photo could not be decoded
    50215: "input_refused",
    50411: "photo_refused",
    50412: "prompt_refused",
    50413: "prompt_sensitive",  # shares its message with 50512: only the number tells them apart
    50511: "video_refused",
    50512: "video_text_refused",
    50513: "input_refused",
    50514: "input_refused",
    50516: "video_refused",
    50517: "audio_refused",
    50518: "photo_copyright",
    50519: "video_copyright",
    50520: "provider_fault",
    50521: "provider_fault",
    50522: "provider_fault",
}
"""Final refusals by Volcengine's number."""

_MESSAGES = (
    # The longer ones first: some begin like others.
    ("pre img risk not pass: copyright", "photo_copyright"),
    ("post img risk not pass: copyright", "video_copyright"),
    ("pre img risk not pass", "photo_refused"),
    ("post img risk not pass", "video_refused"),
    ("post video risk not pass", "video_refused"),
    ("post audio risk not pass", "audio_refused"),
    # Without a number 50413 and 50512 cannot be told apart. Both ask for other words.
    ("post text risk not pass", "prompt_sensitive"),
    ("text risk not pass", "prompt_refused"),
    ("pre video risk not pass", "input_refused"),
    ("pre audio risk not pass", "input_refused"),
    ("input invalid for this service", "input_refused"),
    ("image decode error", "input_refused"),
    ("risk internal error", "provider_fault"),
    ("antidirt internal error", "provider_fault"),
    ("image copyright internal error", "provider_fault"),
)
_NUMBER = re.compile(r"(?<![0-9.])50[245][0-9]{2}(?![0-9]|\.[0-9]|\s?m?s\b)")
"""Not a time."""


def refusal_in(text: str) -> str | None:
    """Return the failure code for a refusal of Jimeng's that a relay passes on in its own text; numbers
    first."""
    for number in _NUMBER.findall(text):
        if int(number) in REFUSALS:
            return REFUSALS[int(number)]
    small = " ".join(text.lower().split())
    return next((word for message, word in _MESSAGES if message in small), None)
