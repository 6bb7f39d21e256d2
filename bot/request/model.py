"""What a provider offers: a model with its limits, and what it can combine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

CAMERAS = (
    "hitchcock_dolly_in",
    "hitchcock_dolly_out",
    "robo_arm",
    "dynamic_orbit",
    "central_orbit",
    "crane_push",
    "quick_pull_back",
    "counterclockwise_swivel",
    "clockwise_swivel",
    "handheld",
    "rapid_push_pull",
)


STRENGTHS = ("weak", "medium", "strong")


_VERSION = re.compile(r"-?(\d{1,2}(?:\.\d{1,2})?)(?=-|$)")


class Mode(StrEnum):
    """What a model makes a video from."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FIRST_LAST = "first_last"
    CAMERA = "camera"
    REFERENCES = "references"
    """Photos that show who, what or where, and not how the video begins."""


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """What a provider accepts as a photo; sides are in pixels."""

    max_bytes: int = 4_700_000
    formats: tuple[str, ...] = ("JPEG", "PNG")
    min_side: int = 320
    enlarged_from: float = 0.75
    """A shorter side of at least this share of `min_side` is enlarged; a smaller photo is refused."""
    max_side: int = 4096
    max_long_to_short: float = 3.0


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Choices that a model cannot combine, although it offers each of them; an empty field means any."""

    modes: frozenset[Mode] = frozenset()
    seconds: frozenset[int] = frozenset()
    resolutions: frozenset[str] = frozenset()
    sound: bool = False
    """Whether only videos with sound are meant."""

    def applies(self, mode: Mode, seconds: int | None, resolution: str | None, sound: bool) -> bool:
        """Return True if these choices are excluded; None is not chosen yet."""
        return (
            (not self.modes or mode in self.modes)
            and (not self.seconds or seconds in self.seconds)
            and (not self.resolutions or resolution in self.resolutions)
            and (sound or not self.sound)
        )


@dataclass(frozen=True, slots=True)
class VideoModel:
    """One thing a provider offers. Of `ratios`, `seconds` and `resolutions` the first is the default."""

    name: str
    title: str
    provider: str
    modes: frozenset[Mode]
    ratios: tuple[str, ...]
    seconds: tuple[int, ...]
    resolutions: tuple[str, ...]
    typical_s: float
    """How long a video usually takes, until `Schedule` has learned it."""
    company: str = ""
    """The company that receives a photo, as people know it; empty if the photo stays on this machine."""
    exceptions: tuple[Exclusion, ...] = ()
    references: int = 0
    """How many photos it takes as references at most."""
    prompt_limit: int | None = 800
    """Characters; more is refused. None if the provider documents no limit."""
    prompt_advice: int | None = 400
    """Characters that the provider advises to stay under."""
    prompt_with_photo: Literal["required", "optional"] = "required"
    ratio_with_photo: bool = False
    """Whether the ratio can be chosen although the video begins with a photo; else it has the photo's."""
    crops_photo: bool = False
    """Whether a photo is cropped around its centre to the closest of `ratios`."""
    photo_rules: PhotoRules = PhotoRules()
    takes_people: bool = True
    """False if it refuses photos of real people."""
    photo_as: Literal["bytes", "link"] = "bytes"
    photo_reachable: bool = True
    """False if it takes photos by link, and this bot has no public address to serve one at."""
    seed_max: int | None = None
    audio: bool = False
    """Whether sound can be chosen."""
    audio_default: bool = False
    """The default is silent where sound costs more."""
    audio_always: bool = False
    """Whether every video has sound, which cannot be switched off."""
    negative_prompt: bool = False
    negative_limit: int | None = None
    """Characters of it; more is refused."""
    people: tuple[str, ...] = ()
    """The choices for which people may be shown; the first is the default."""
    enhance: tuple[bool, ...] = ()
    """The choices for whether the provider rewrites the prompt; the first is the default."""
    guidance: bool = False
    """Whether it can be told how closely to follow the prompt."""
    count: int = 1
    """How many videos one job makes at most."""
    off_peak: bool = False
    """Whether it can make a video later at a lower price."""
    off_peak_hours: int = 48
    """Within how many hours such a video is made."""
    several_shots: bool = False
    """Whether a video can have several shots, which the words describe; the default is one."""
    keeps_s: float = 12 * 3600
    """How long the provider knows a job: a late one is polled until then."""
    free: bool = False
    """Made on this machine, at no cost."""
    gone: bool = False
    """The provider said that it sells it no more. That is forgotten when the bot starts again."""


def shown(models: Mapping[str, VideoModel]) -> list[str]:
    """Return the names to offer, the newest of a family first: free models only if there are no others. Any
    can be asked for by name."""
    sold = [name for name, model in models.items() if not model.gone]
    names = [name for name in sold if not models[name].free] or sold
    families = list(dict.fromkeys(family_of(name)[0] for name in names))
    return sorted(names, key=lambda name: (families.index(family_of(name)[0]), -family_of(name)[1]))


def newest(names: Sequence[str]) -> list[str]:
    """Return those of `names` that no newer model of their family is among."""
    latest: dict[str, float] = {}
    for family, version in map(family_of, names):
        latest[family] = max(version, latest.get(family, version))
    return [name for name in names if family_of(name)[1] == latest[family_of(name)[0]]]


def family_of(name: str) -> tuple[str, float]:
    """Return a name up to its version, and the version: `veo` and 3.1 of `veo-3.1-fast`."""
    found = _VERSION.search(name)
    return (name[: found.start()], float(found[1])) if found else (name, 0.0)


def resolutions_for(mode: Mode, model: VideoModel, seconds: int | None = None) -> tuple[str, ...]:
    """Return the resolutions in which `model` can do `mode`, at this length if one is given."""
    return tuple(name for name in model.resolutions if not is_excluded(model, mode, seconds, name))


def seconds_for(mode: Mode, model: VideoModel, resolution: str | None = None) -> tuple[int, ...]:
    """Return the lengths in which `model` can do `mode`, in this resolution if one is given."""
    return tuple(one for one in model.seconds if not is_excluded(model, mode, one, resolution))


def can_sound(mode: Mode, model: VideoModel) -> bool:
    """Return True if `model` can be asked for sound in `mode`."""
    return model.audio and not is_excluded(model, mode, None, None, sound=True)


def listed_seconds(lengths: Sequence[int]) -> list[str]:
    """Return the lengths in order as texts, three or more in a row as one: `4–8`."""
    runs: list[list[int]] = []
    for length in sorted(lengths):
        if runs and length == runs[-1][-1] + 1:
            runs[-1].append(length)
        else:
            runs.append([length])
    return [text for run in runs for text in ([f"{run[0]}–{run[-1]}"] if len(run) > 2 else map(str, run))]


def is_excluded(
    model: VideoModel, mode: Mode, seconds: int | None, resolution: str | None, *, sound: bool = False
) -> bool:
    return any(one.applies(mode, seconds, resolution, sound) for one in model.exceptions)


def lines_of(resolution: str) -> float:
    """`1080p`, `720P` and `1280x720` by what they are named after: the shorter side; `4k` has 2160 lines."""
    sides = re.findall(r"(\d+)(k?)", resolution.lower())
    return min((float(number) * (540 if kilo else 1) for number, kilo in sides), default=0.0)
