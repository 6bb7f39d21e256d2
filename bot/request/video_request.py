"""What a person asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from bot.request.model import Mode
from bot.styles import Style

MOST_AT_ONCE = 4
"""Videos that one order asks for."""


RANDOM_SEED = -1
"""What people write for no seed of their own."""


@dataclass(frozen=True, slots=True)
class Crop:
    """What is kept of a photo: a part of this ratio, and where it lies along each side that is cut."""

    ratio: str
    x: float | None = None
    """0 is at the left, 1 at the right; None if the width stays whole, or for the centre."""
    y: float | None = None
    """0 is at the top, 1 at the bottom."""


def _read_crop(stored: object) -> object:
    """Read a crop around the centre, which requests stored as its ratio alone until there was a choice."""
    return {"ratio": stored} if isinstance(stored, str) else stored


class VideoRequest(BaseModel):
    """What the user asked for, in our own terms. None means the model's default."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    model: str
    prompt: str = ""
    photos: tuple[str, ...] = ()
    """Telegram file ids: none; the first frame, or the first and the last; or references in their order."""
    photos_as: Literal["frames", "references"] = "frames"
    crop: Annotated[Crop | None, BeforeValidator(_read_crop)] = None
    """How the photos are cropped before they are sent."""
    extends: str | None = None
    """Telegram's file id of the video whose last frame is the first of `photos`."""
    ratio: str | None = None
    seconds: int | None = None
    resolution: str | None = None
    seed: int | None = None
    """-1 asks for a random one."""
    camera: str | None = None
    strength: str | None = None
    negative_prompt: str | None = None
    audio: bool | None = None
    people: str | None = None
    enhance: bool | None = None
    guidance: float | None = None
    """0 to 1: how closely to follow the prompt."""
    count: int | None = None
    """How many videos are wanted at once. Each becomes a task, whose own request says nothing here."""
    off_peak: bool | None = None
    """Whether it may be made later at a lower price."""
    several_shots: bool | None = None
    style: Style | None = None
    loop: bool | None = None
    """Whether it ends with the photo with which it begins."""

    @model_serializer(mode="wrap")
    def _leave_out_frames(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what nearly every request says: rows and what reads them keep their form."""
        fields: dict[str, Any] = handler(self)
        if self.photos_as == "frames":
            fields.pop("photos_as", None)
        for name in ("loop", "style"):
            if getattr(self, name) is None:
                fields.pop(name, None)
        return fields

    @property
    def words(self) -> str:
        """What the model gets: the prompt in its style."""
        return self.prompt if self.style is None else self.style.words(self.prompt)

    @property
    def mode(self) -> Mode:
        if self.photos and self.photos_as == "references":
            return Mode.REFERENCES
        if self.camera:
            return Mode.CAMERA
        match len(self.photos):
            case 0:
                return Mode.TEXT
            case 1 if not self.loop:
                return Mode.FIRST_FRAME
            case _:
                return Mode.FIRST_LAST


def most_seed(request: VideoRequest, seed_max: int) -> int:
    """Return the largest seed that can be asked for: each of several videos has the next one."""
    return seed_max + 1 - min(max(request.count or 1, 1), MOST_AT_ONCE)


def is_one_frame(request: VideoRequest) -> bool:
    return len(request.photos) == 1 and request.photos_as == "frames"


def is_share(guidance: float | None) -> bool:
    return guidance is not None and 0 <= guidance <= 1
