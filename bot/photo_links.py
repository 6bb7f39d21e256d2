"""Links to photos: signed addresses that expire."""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.errors import SettingsError

_PURPOSE = b"dreamreel photo link, form 1"
"""The secret may sign other things too: none of them must be a valid photo link."""
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}
_PATH = re.compile(
    r"/photos/(?P<task_id>[\w-]{1,64})/(?P<index>\d{1,2})/(?P<expires>\d{1,12})/(?P<signature>[\w-]{43})\.(?P<ending>jpg|png)",
    re.ASCII,
)
_KEY_FILE = "secret.key"
_SHORTEST_KEY = 32
"""In characters of the file: half of a generated key, so that a truncated one is not used."""


class PhotoLinks:
    """Makes and reads `{public_url}/photos/<task id>/<index>/<expires>/<signature>.<jpg or png>`.

    A proxy may strip the path of `public_url` or keep it: links are read with and without it, and the
    signature does not cover it. Anyone who has a link can see that one photo until it expires.
    """

    def __init__(self, public_url: str, secret: str) -> None:
        self._address = public_url.rstrip("/")
        self.prefix = urlsplit(self._address).path
        """The path of the public address, such as `/bot`; usually empty."""
        self._key = hmac.digest(secret.encode(), _PURPOSE, "sha256")

    def make(self, task_id: str, index: int, content_type: str, expires_at: datetime) -> str:
        """Return an absolute address. Its ending fits `content_type`, `image/jpeg` or `image/png`."""
        ending = _ENDINGS[content_type]
        stem = f"/photos/{task_id}/{index}/{int(expires_at.timestamp())}"
        path = f"{stem}/{self._sign(stem, ending)}.{ending}"
        if _PATH.fullmatch(path) is None:
            raise ValueError(f"no link can be made for task {task_id!r}, photo {index}")
        return self._address + path

    def read(self, path: str, now: datetime) -> tuple[str, int] | None:
        """Return the task's id and the photo's index; None if the link was not made here, or has expired.

        `path` is the raw one of a request, without its query.
        """
        found = _PATH.fullmatch(path) or _PATH.fullmatch(path.removeprefix(self.prefix))
        if found is None:
            return None
        task_id, index, expires, signature, ending = found.groups()
        expected = self._sign(f"/photos/{task_id}/{index}/{expires}", ending)
        # The signature first: a forged link must not tell whether it would have expired.
        if not hmac.compare_digest(signature, expected) or int(expires) <= now.timestamp():
            return None
        return task_id, int(index)

    def _sign(self, stem: str, ending: str) -> str:
        signature = hmac.digest(self._key, f"{stem}.{ending}".encode(), "sha256")
        return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def secret_key(setting: SecretStr | None, data_dir: Path) -> str:
    """Return the secret that signs links: the setting, or one that is generated once and kept in `data_dir`.

    Two processes that start at the same time get the same one. Raises SettingsError if it cannot be kept.
    """
    if setting is not None:
        return setting.get_secret_value()
    file = data_dir / _KEY_FILE
    try:
        if not file.exists():
            _keep(secrets.token_hex(32), file)
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is no text"
        raise SettingsError(
            f"The key {file} cannot be used ({reason}): mend it, or set SECRET_KEY."
        ) from None
    if len(key) < _SHORTEST_KEY:
        raise SettingsError(f"The key {file} is damaged: remove it, and another one is made.")
    return key


def key_mark(key: str) -> str:
    """Return what tells two keys apart and gives nothing of them away."""
    return hmac.digest(key.encode(), b"mark of the key", "sha256").hex()[:16]


def webhook_secret(setting: SecretStr | None, key: str) -> str:
    """Return the secret by which Telegram authenticates: the setting, or one derived from `key`."""
    if setting is not None:
        return setting.get_secret_value()
    return hmac.digest(key.encode(), b"webhook", "sha256").hex()


def _keep(key: str, file: Path) -> None:
    """Write the key atomically, and never over an existing one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # for its owner alone: 0600
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as written:
            written.write(key + "\n")
            written.flush()
            os.fsync(written.fileno())
        _publish(part, file)
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, file: Path) -> None:
    """Give the file its final name unless that exists: a hard link does both in one step."""
    try:
        with suppress(FileExistsError):
            os.link(part, file)
    except OSError:  # a disk without hard links, such as exFAT
        if not file.exists():
            part.replace(file)
