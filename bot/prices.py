"""Prices: what a video costs, by model, resolution, length, sound, references and time. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from bot.request import Mode, VideoModel, VideoRequest, can_sound, check_request, seconds_for, settle

PRICES_FORMAT = "a comma list such as jimeng-pro=3.50,jimeng-720p=0.28/s,veo-3:1080p:sound=0.60/s"
AMOUNT_FORMAT = "an amount such as 20 or 7.50, with a point and at most six decimals"
_AMOUNT = re.compile(r"\d{1,7}(\.\d{1,6})?")
"""The sum of a day, in millionths, fits into 64 bits."""
_PER_SECOND = "/s"
_SOUND = {"sound": True, "silent": False}
_REFERENCES = "references"
_OFF_PEAK = "off-peak"
_SECONDS = re.compile(r"([1-9]\d{0,2})s")
_PHOTOS = {Mode.TEXT: 0, Mode.FIRST_LAST: 2}


@dataclass(frozen=True, slots=True)
class Price:
    """One entry of the list; None means any resolution, or with and without sound."""

    model: str
    amount: Decimal
    per_second: bool = False
    resolution: str | None = None
    sound: bool | None = None
    seconds: int | None = None
    references: bool = False
    """Only videos with references; else all that no more exact entry covers."""
    off_peak: bool = False
    """Only videos that may be made later."""

    @property
    def detail(self) -> int:
        """How many of the options it names."""
        named = (self.resolution is not None, self.sound is not None, self.seconds is not None)
        return sum((*named, self.references, self.off_peak))

    @property
    def choice(self) -> tuple[str, ...]:
        """The options that it names, as in the setting."""
        sound = [name for name, choice in _SOUND.items() if choice is self.sound]
        seconds = f"{self.seconds}s" if self.seconds else None
        words = (_REFERENCES if self.references else None, _OFF_PEAK if self.off_peak else None)
        return tuple(filter(None, (self.resolution, seconds, *sound, *words)))

    def fits(self, bought: VideoRequest) -> bool:
        """Return True if it applies to this request, which is settled."""
        return (
            self.model == bought.model
            and self.resolution in (None, (bought.resolution or "").lower())
            and self.seconds in (None, bought.seconds)
            and self.sound in (None, bool(bought.audio))
            and (not self.references or bought.mode is Mode.REFERENCES)
            and (not self.off_peak or bool(bought.off_peak))
        )

    def __str__(self) -> str:
        """Return it as in the setting."""
        what = ":".join((self.model, *self.choice))
        return f"{what}={self.amount}{_PER_SECOND if self.per_second else ''}"

    def of(self, seconds: int | None) -> Decimal:
        return self.amount * (seconds or 1) if self.per_second else self.amount


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices that are set. If empty, no costs are shown."""

    entries: tuple[Price, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __str__(self) -> str:
        return ",".join(map(str, self.entries))

    def of_model(self, name: str) -> Sequence[Price]:
        """Return the entries of a model, in the order of the setting."""
        return [price for price in self.entries if price.model == name]

    def quote(self, request: VideoRequest, model: VideoModel) -> Decimal | None:
        """Return the price of the request; None if no entry applies. A free model costs 0 if prices are set.

        The entry that names most options counts; of several that name as many, the most expensive one.
        """
        if model.free and self.entries:
            return Decimal(0)
        bought = settle(request, model)
        counting = self.counting(bought)
        return counting[0].of(bought.seconds) * (bought.count or 1) if counting else None

    def counting(self, bought: VideoRequest) -> list[Price]:
        """Return the entry that counts for a settled request, with those that say the same; or none."""
        fitting = [price for price in self.of_model(bought.model) if price.fits(bought)]
        most = max(((price.detail, price.of(bought.seconds)) for price in fitting), default=None)
        return [price for price in fitting if (price.detail, price.of(bought.seconds)) == most]


NO_PRICES = Prices()


def priced_choices(model: VideoModel) -> Iterator[VideoRequest]:
    """Yield a request for each choice that a price can depend on, those that `model` can make."""
    modes = [mode for mode in Mode if mode in model.modes and mode is not Mode.CAMERA]
    for mode, off_peak in product(modes, (False, True) if model.off_peak else (False,)):
        sounds = (False, True) if can_sound(mode, model) else (None,)
        resolutions = model.resolutions or (None,)
        for seconds, resolution, audio in product(sorted(seconds_for(mode, model)), resolutions, sounds):
            request = VideoRequest(
                model=model.name,
                prompt="x",
                photos=("photo",) * _PHOTOS.get(mode, 1),
                photos_as="references" if mode is Mode.REFERENCES else "frames",
                seconds=seconds,
                resolution=resolution,
                audio=audio,
                off_peak=off_peak or None,
            )
            if not check_request(request, model):
                yield request


def read_prices(text: str) -> Prices:
    """Parse `model[:resolution][:10s][:sound|:silent][:references][:off-peak]=amount[/s],…`.

    The ValueError says what is valid.
    """
    entries = [_entry(part.strip()) for part in text.split(",") if part.strip()]
    named = Counter((price.model, *price.choice) for price in entries)
    if twice := [key for key, times in named.items() if times > 1]:
        raise ValueError(f"one price for each choice, but there are two for {':'.join(twice[0])}")
    return Prices(tuple(entries))


def read_amount(text: str) -> Decimal:
    """Parse an amount of money. The ValueError says what is valid."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(AMOUNT_FORMAT)
    return Decimal(text)


def _entry(text: str) -> Price:
    choice, equals, amount = (part.strip() for part in text.partition("="))
    model, *details = (part.strip() for part in choice.split(":"))
    per_second = amount.endswith(_PER_SECOND)
    amount = amount.removesuffix(_PER_SECOND).strip()
    words = [word.lower() for word in details]
    sounds = [_SOUND[word] for word in words if word in _SOUND]
    lengths = [int(found[1]) for word in words if (found := _SECONDS.fullmatch(word))]
    known = {*_SOUND, _REFERENCES, _OFF_PEAK}
    resolutions = [word for word in words if word not in known and not _SECONDS.fullmatch(word)]
    is_clear = all(len(found) < 2 for found in (sounds, lengths, resolutions))
    if not (equals and model and all(details) and is_clear and _AMOUNT.fullmatch(amount)):
        raise ValueError(f"{PRICES_FORMAT}; this is not: {text[:60]}")
    return Price(
        model,
        Decimal(amount),
        per_second,
        next(iter(resolutions), None),
        next(iter(sounds), None),
        next(iter(lengths), None),
        _REFERENCES in words,
        _OFF_PEAK in words,
    )
