"""The contract of a video provider. Each file in `bot/providers/` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.request import VideoModel, VideoRequest


@dataclass(frozen=True, slots=True)
class PhotoLink:
    """A public link to a photo, for providers that fetch it themselves; sides in pixels."""

    url: str
    width: int
    height: int


Photo = bytes | PhotoLink
"""A photo's bytes, or a link to it, as `VideoModel.photo_as` says."""


@dataclass(frozen=True, slots=True)
class StillRunning:
    progress: float | None = None
    """0 to 1; None if the provider does not say."""
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Succeeded:
    video_url: str
    keeps_s: float
    """How long the link works."""
    others: tuple[str, ...] = field(default=(), compare=False)
    """Other links to the same video, for the adapter's own `fetch`."""
    further: tuple[str, ...] = ()
    """Links to the other videos of the job, if it made several; they work as long."""
    billed_tokens: int | None = None
    """What the job cost, if the provider bills by tokens and says how many."""


@dataclass(frozen=True, slots=True)
class Failed:
    code: str
    """A failure code: a phrase key."""
    detail: str = ""
    """For the log only: it may quote the provider."""
    final: bool = False
    """A job without room is not ordered again unasked: no document says that it made nothing."""


Status = StillRunning | Succeeded | Failed


@dataclass(frozen=True, slots=True)
class Accepted:
    remote_id: str
    status: Status = StillRunning(queued=True)
    """Some providers answer the submit with the finished video."""
    detail: str = ""
    """The provider's id of the call, for a dispute about a bill."""


class Provider(Protocol):
    """One account at one company or server that makes videos.

    `submit`, `poll` and `cancel` raise only `ProviderError` and its subclasses, `fetch` only `FetchError`,
    whatever the server answers.
    """

    @property
    def name(self) -> str: ...

    @property
    def models(self) -> Sequence[VideoModel]: ...

    @property
    def concurrency(self) -> int:
        """How many jobs the account may run at once, as set by the operator."""

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        """Start a job. `request` is settled and checked; `reference` is our own id, for logs.

        Unavailable, Rejected and AccountProblem prove that nothing was accepted. Anything that does not
        prove it is OutcomeUnknown. Never repeats the call by itself.
        """

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        """Return the status of the job. An error means only that this poll failed: the job goes on."""

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        """Ask the provider to stop a job.

        Return True only if it is proven that it stopped and costs nothing; False if it goes on or cannot be
        stopped. Repeating the call is harmless.
        """

    async def fetch(self, video_url: str, target: Path) -> None:
        """Stream the finished video into `target`. Raises FetchError."""

    async def close(self) -> None:
        """Close connections and end processes."""
