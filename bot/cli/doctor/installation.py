"""Check the machine around the bot: the file of settings, folders, ports, and names that can never match."""

from __future__ import annotations

import re
import socket
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from bot.cli.doctor.finding import Finding
from bot.maintenance.disk_space import write_problem
from bot.settings import Settings
from bot.settings.errors import FILE, UnknownSetting
from bot.web.connections import listen
from bot.web.port_errors import reason_of

_LIMITS = (
    *("daily_videos_per_user", "daily_videos_per_chat", "open_tasks_per_user", "open_tasks_per_chat"),
    *("submits_per_hour", "daily_budget", "daily_budget_per_user"),
)
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII)


def judge_names(unknown: Iterable[UnknownSetting]) -> list[Finding]:
    """Warn of each name that was probably meant as a setting."""
    return [
        Finding(
            "names",
            "warning",
            f"{one.name} in {one.source} is no setting, so it does nothing.",
            f"Did you mean {one.meant}?" if one.meant else "Look it up in .env.example.",
        )
        for one in unknown
    ]


def check_file() -> list[Finding]:
    """Warn if others on this machine can read the keys in `.env`."""
    file = Path(FILE)
    if sys.platform == "win32" or not file.is_file() or not stat.S_IMODE(file.stat().st_mode) & 0o077:
        return []
    seen = f"Others on this machine can read {FILE}, and the keys in it."
    return [Finding(FILE, "warning", seen, f"Run: chmod 600 {FILE}")]


def check_folder(name: str, folder: Path) -> list[Finding]:
    """Try to write into a folder, or where the first start would make it."""
    place = existing(folder)
    problem = "it is no folder" if folder.exists() and not folder.is_dir() else write_problem(place)
    if not problem:
        return []
    seen = f"Nothing can be written to {folder if folder.exists() else place}: {problem}."
    return [Finding(name, "wrong", seen, f"Look at its permissions, or set another {name}.")]


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    absolute = folder.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.is_dir())


def check_ports(settings: Settings, *, is_running: bool) -> list[Finding]:
    """Try to listen as the bot would. The ports of a running bot are its own."""
    ports = {
        "LISTEN_PORT": (settings.listen_host, settings.listen_port),
        "PRIVATE_PORT": (settings.private_host, settings.private_port),
    }
    if settings.listen_port is not None and settings.listen_port == settings.private_port:
        seen = f"LISTEN_PORT and PRIVATE_PORT are both {settings.listen_port}: only one of them can have it."
        return [Finding("ports", "wrong", seen, "Set another PRIVATE_PORT, or PRIVATE_PORT=off.")]
    if is_running:
        return []
    found = []
    for name, (host, port) in ports.items():
        # Without a setting of its own the private server takes a free port instead.
        if port and (name != "PRIVATE_PORT" or "private_port" in settings.model_fields_set):
            reason = _taken(host, port)
            if reason:
                seen = f"{name} {port} on {host} cannot be used: {reason}."
                own = f"{name[:-5]}_HOST to an address of this machine"
                mend = f"Stop what has it, or set another {name}, or {own}."
                found.append(Finding("ports", "wrong", seen, mend))
    return found


def _taken(host: str, port: int) -> str:
    try:
        for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            listen(family, address).close()
    except OSError as error:
        return reason_of(error)
    return ""


def judge_limits(settings: Settings) -> list[Finding]:
    """Warn of limits that let nobody order anything."""
    zeros = [name.upper() for name in _LIMITS if getattr(settings, name) == 0]
    if not zeros:
        return []
    verb = "is" if len(zeros) == 1 else "are"
    seen = f"{', '.join(zeros)} {verb} 0: nothing can be ordered under that."
    return [Finding("limits", "warning", seen, "Set a number, or unlimited; 0 is right only as a stop.")]


def judge_hosts(settings: Settings) -> list[Finding]:
    """Find entries of TRUSTED_PRIVATE_HOSTS that no address can match: they are names or IP addresses."""
    never = sorted(host for host in settings.trusted_private_hosts if not _HOST.fullmatch(host))
    return [
        Finding(
            "hosts",
            "wrong",
            f"TRUSTED_PRIVATE_HOSTS has {host}, which never matches: it takes names and addresses alone.",
            "Write it as media.lan or 10.0.0.7, without scheme, port, path, mask or star.",
        )
        for host in never
    ]
