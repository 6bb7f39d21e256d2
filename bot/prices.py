"""Prices: what a video costs, by model, resolution and sound. Pure: a line of text in, numbers out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.request import VideoModel, VideoRequest, settle

PRICES_LOOK = "a comma list such as jimeng-pro=3.50,jimeng-720p=0.28/s,veo-3:1080p:sound=0.60/s"
AMOUNT_LOOK = "an amount such as 20 or 7.50, with a point and at most six decimals"
_AMOUNT = re.compile(r"\d{1,7}(\.\d{1,6})?")
"""So that a day's sum in millionths fits into 64 bits."""
_PER_SECOND = "/s"
_SOUND = {"sound": True, "silent": False}


@dataclass(frozen=True, slots=True)
class Price:
    """One entry of the list; None where it holds for whatever is chosen."""

    model: str
    amount: Decimal
    per_second: bool = False
    resolution: str | None = None
    sound: bool | None = None

    @property
    def detail(self) -> int:
        """How much of the choice it names."""
        return (self.resolution is not None) + (self.sound is not None)

    def fits(self, bought: VideoRequest) -> bool:
        """Whether it is for this request, which is settled."""
        resolution = self.resolution is None or self.resolution == (bought.resolution or "").lower()
        return self.model == bought.model and resolution and self.sound in (None, bool(bought.audio))

    def __str__(self) -> str:
        """As it is typed."""
        sound = [name for name, choice in _SOUND.items() if choice is self.sound]
        what = ":".join([self.model, *filter(None, [self.resolution]), *sound])
        return f"{what}={self.amount}{_PER_SECOND if self.per_second else ''}"

    def of(self, seconds: int | None) -> Decimal:
        return self.amount * (seconds or 1) if self.per_second else self.amount


@dataclass(frozen=True, slots=True)
class Prices:
    """All that are set. Empty: nothing is known of costs, and no number is shown."""

    entries: tuple[Price, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __str__(self) -> str:
        return ",".join(map(str, self.entries))

    def of_model(self, name: str) -> Sequence[Price]:
        """In the order in which they are given."""
        return [price for price in self.entries if price.model == name]

    def quote(self, request: VideoRequest, model: VideoModel) -> Decimal | None:
        """What `model` takes for the request; None where no price says it. Beside prices the free costs 0.

        The entry that names most of the choice counts; of two that name as much, the dearer one.
        """
        if model.free and self.entries:
            return Decimal(0)
        bought = settle(request, model)
        fitting = [price for price in self.of_model(model.name) if price.fits(bought)]
        most = max((price.detail for price in fitting), default=0)
        return max((price.of(bought.seconds) for price in fitting if price.detail == most), default=None)


NO_PRICES = Prices()


def read_prices(text: str) -> Prices:
    """`model[:resolution][:sound|:silent]=amount[/s]`, separated by commas. ValueError says what would do."""
    entries = [_entry(part.strip()) for part in text.split(",") if part.strip()]
    named = Counter((price.model, price.resolution, price.sound) for price in entries)
    if twice := [key for key, times in named.items() if times > 1]:
        raise ValueError(f"one price for each choice, but there are two for {_choice(twice[0])}")
    return Prices(tuple(entries))


def read_amount(text: str) -> Decimal:
    """A sum of money. ValueError says what would do."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(AMOUNT_LOOK)
    return Decimal(text)


def _entry(text: str) -> Price:
    choice, equals, amount = (part.strip() for part in text.partition("="))
    model, *details = (part.strip() for part in choice.split(":"))
    per_second = amount.endswith(_PER_SECOND)
    amount = amount.removesuffix(_PER_SECOND).strip()
    sounds = [word for word in details if word.lower() in _SOUND]
    resolutions = [word for word in details if word.lower() not in _SOUND]
    is_sound = equals and model and all(details) and len(sounds) < 2 and len(resolutions) < 2
    if not is_sound or not _AMOUNT.fullmatch(amount):
        raise ValueError(f"{PRICES_LOOK}; this is not: {text[:60]}")
    return Price(
        model,
        Decimal(amount),
        per_second,
        resolutions[0].lower() if resolutions else None,
        _SOUND[sounds[0].lower()] if sounds else None,
    )


def _choice(key: tuple[str, str | None, bool | None]) -> str:
    model, resolution, sound = key
    words = {True: "sound", False: "silent", None: None}
    return ":".join(part for part in (model, resolution, words[sound]) if part)
