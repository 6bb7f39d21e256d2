"""One call of the bot and its response. Tests read the log of calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.answer import Json
from bot.sandbox.bot_api.methods import Upload
from bot.sandbox.files import ReceivedFile
from bot.sandbox.webhook import Webhook
from bot.sandbox.world import World


@dataclass
class CallRecord:
    """`params` as typed values; of the files only the sizes, in `uploads`.

    `status` and `answer` are None until the call is answered.
    """

    method: str
    at: float
    params: Json = field(default_factory=dict)
    uploads: dict[str, int] = field(default_factory=dict)  # bytes by the name of the part
    status: int | None = None
    answer: Json | None = None

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def result(self) -> Any:
        return (self.answer or {}).get("result")

    @property
    def error(self) -> str | None:
        return (self.answer or {}).get("description")


@dataclass
class Call:
    """What a method needs."""

    world: World
    webhook: Webhook
    params: Json
    uploads: dict[str, ReceivedFile]

    def upload(self, value: str | Upload) -> ReceivedFile | None:
        """Return the file of an `Upload` or `attach://name`; None if the request has no file of that name."""
        part = value.part if isinstance(value, Upload) else value.removeprefix("attach://")
        return self.uploads.get(part)
