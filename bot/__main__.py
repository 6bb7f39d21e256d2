"""The command line of the bot: `python -m bot run`, `sandbox`, `doctor`, `tasks`, `bill` and others.

The media worker processes load this file too, and need little of the bot. So commands load what they need
when they run: `bot.app` takes 180 ms and 16 MB, `bot.providers` 140 ms and 8 MB, `bot/cli/` 45 ms and 3 MB.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.errors import DreamreelError, SettingsError
from bot.log import get_log, is_json, set_up_logs
from bot.settings import (
    IsolatedSettings,
    Settings,
    find_unknown_names,
    load_settings,
    read_log_format,
    secrets_of,
)

if TYPE_CHECKING:
    from bot.app import StartInfo

T = TypeVar("T")

_LAZY = {
    **{name: name for name in ("admins", "backup", "bill", "models", "prices", "tasks")},
    "move-store": "move_store",
}
"""Commands by their module and function in `bot/cli/`."""
_SANDBOX_PORT = 8787
_SANDBOX_ADMIN = 1001
"""Ada, from `bot.sandbox.demo_world`."""


class _LazyGroup(click.Group):
    """Loads a command of `bot/cli/` when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LAZY:
            return super().get_command(ctx, cmd_name)
        name = _LAZY[cmd_name]
        command: click.Command = getattr(import_module(f"bot.cli.{name}"), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dreamreel", message="%(version)s")
def main() -> None:
    """Dreamreel: a Telegram bot that makes videos from prompts and photos."""
    # Databases, keys, photos and videos are nobody else's.
    os.umask(0o077)


@main.command(short_help="Run the bot on Telegram.")
def run() -> None:
    """Run the bot on Telegram, with the settings of the environment and `.env`."""
    from bot import app  # noqa: PLC0415 - see above

    set_up_logs("info", read_log_format())
    settings = _or_exit(load_settings)
    set_up_logs(settings.log_level, settings.log_format, secrets_of(settings))
    if settings.telegram_local_mode == "on":
        # The Bot API server reads our files: give it the group of the bot.
        os.umask(0o027)
    for unknown in find_unknown_names():
        get_log("bot").warning(
            "a name is no setting", name=unknown.name, source=unknown.source, meant=unknown.meant or None
        )
    _or_exit(lambda: asyncio.run(app.run(settings, _print_start)))


@main.command(short_help="Try the bot on this machine: no token, no key.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 8787, or a free one where that is taken.",
)
@click.option("--page-host", multiple=True, help="A name by which the page may be opened, besides loopback.")
@click.option("--real", is_flag=True, help="Use the providers' keys of .env: SPENDS MONEY.")
def sandbox(host: str, port: int | None, page_host: tuple[str, ...], real: bool) -> None:
    """Run the bot and a simulated Telegram on this machine: no token, no key, no network."""
    with tempfile.TemporaryDirectory(prefix="dreamreel-sandbox-") as folder:
        _or_exit(lambda: asyncio.run(_sandbox(host, port, page_host, real, Path(folder))))


@main.command(short_help="Find out what is wrong and how to fix it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def doctor(as_json: bool) -> None:
    """Find out what is wrong and how to fix it; show each setting and where it comes from.

    Changes nothing, costs nothing and disturbs no running bot. The exit code is 1 if something is wrong.
    """
    from bot import app  # noqa: PLC0415
    from bot.cli import doctor as doctors  # noqa: PLC0415

    if sys.stderr.isatty():
        click.echo("Checking, which may take half a minute …", err=True)
    settings, finding = doctors.read_settings()
    findings, values = [finding], list[doctors.Value]()
    findings += doctors.check_file_of_settings()
    if settings is not None:
        set_up_logs("error", settings.log_format, secrets_of(settings))
        findings += _or_exit(lambda: asyncio.run(doctors.check_up(settings, app.utc_now)))
        values = _or_exit(lambda: asyncio.run(doctors.list_values(settings)))
    if as_json:
        click.echo(doctors.write_json(findings, values))
    else:
        click.echo(doctors.draw_table(findings, shutil.get_terminal_size().columns))
        click.echo(doctors.draw_values(values))
    sys.exit(any(finding.state == "wrong" for finding in findings))


async def _sandbox(host: str, port: int | None, page_hosts: tuple[str, ...], real: bool, data: Path) -> None:
    from bot import app  # noqa: PLC0415
    from bot.sandbox import SandboxServer, demo_world  # noqa: PLC0415

    def serve_on(port: int) -> SandboxServer:
        note = "Real models: their providers see what you send and charge for it." if real else ""
        return SandboxServer(demo_world(), host=host, port=port, page_hosts=page_hosts, note=note)

    server = serve_on(_SANDBOX_PORT if port is None else port)
    try:
        await server.start()
    except OSError as error:
        if port is not None:
            raise SettingsError(f"port {port} on {host} cannot be used ({error.strerror}).") from None
        server = serve_on(0)
        await server.start()
    settings = _sandbox_settings(server.url, server.token, data, real)
    set_up_logs(settings.log_level, settings.log_format, secrets_of(settings))

    def print_address(_: StartInfo) -> None:
        click.echo(f"\n  Open this in a browser:  {click.style(server.page_url, bold=True)}\n")
        click.echo("  Type  /video a paper boat in the rain  or drop a photo there. Press Ctrl-C to stop.")
        click.echo("  Ada is the bot's admin:  /admin  links her to the operator's page.\n")

    try:
        await app.run(settings, print_address)
    finally:
        await server.stop()


def _sandbox_settings(url: str, token: str, data: Path, real: bool) -> Settings:
    """Return the sandbox's own settings: no real database, and the keys of `.env` only with `--real`."""
    values: dict[str, Any] = {
        "telegram_bot_token": token,
        "telegram_api_url": url,
        "database_url": f"sqlite:///{data}/sandbox.db",
        "data_dir": data,
        "allowed_users": "*",
        "admin_users": str(_SANDBOX_ADMIN),
        "log_level": "warning",
        "private_port": 0,
        "backup_hour": None,
    }
    if real:
        return load_settings(**values)
    # The preview is free, so it needs no daily limits.
    return IsolatedSettings(**values, daily_videos_per_user=None, daily_videos_per_chat=None)


def _print_start(started: StartInfo) -> None:
    settings = started.settings
    if is_json():
        get_log("bot").info(
            "Dreamreel is up",
            username=started.username,
            models=started.models,
            allowed=_allowed(settings),
            limits=_limits(settings),
            data=str(settings.data_dir.resolve()),
            private=started.private_url,
            claim_link=started.claim_link,
        )
        return

    def line(name: str, value: object) -> None:
        click.echo(f"  {name:<9} {value}")

    click.echo(f"Dreamreel is up as @{started.username}")
    line("models", ", ".join(started.models))
    line("allowed", _allowed(settings))
    line("limits", _limits(settings))
    line("data", settings.data_dir.resolve())
    if started.private_url:
        line("private", f"{started.private_url}  (the operator's page: send /admin to the bot)")
        if started.tunnel:
            line("", f"from your own computer: {started.tunnel}")
    if started.claim_link:
        click.echo("\nThis bot has no admin yet. The first person who opens this link becomes it:")
        click.echo(f"  {started.claim_link}\n")


def _allowed(settings: Settings) -> str:
    def listed(ids: frozenset[int] | str, what: str) -> str:
        if ids == "*":
            return f"every {what}"
        return f"{len(ids)} {what}{'' if len(ids) == 1 else 's'}" if ids else ""

    parts = [listed(settings.allowed_users, "person"), listed(settings.allowed_chats, "chat")]
    return ", ".join([part.replace("persons", "people") for part in parts if part] or ["admins only"])


def _limits(settings: Settings) -> str:
    def figure(limit: int | None) -> str:
        return "unlimited" if limit is None else str(limit)

    def pair(daily: int | None, at_once: int | None) -> str:
        return f"{figure(daily)} a day and {figure(at_once)} at once"

    person = pair(settings.daily_videos_per_user, settings.open_tasks_per_user)
    group = pair(settings.daily_videos_per_chat, settings.open_tasks_per_chat)
    return f"per person {person}, per group {group}"


def _system_reason(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"the system refuses: {error.strerror or type(error).__name__}{where}."


def _or_exit(act: Callable[[], T]) -> T:
    """Run `act`; print an error that people can fix as one sentence, and exit."""
    try:
        return act()
    except (DreamreelError, OSError) as error:
        reason = str(error) if isinstance(error, DreamreelError) else _system_reason(error)
        if is_json():
            get_log("bot").critical("Dreamreel cannot run", reason=reason)
        else:
            click.echo(f"Dreamreel cannot run: {reason}", err=True)
        # Status 2: somebody has to fix it first, so a service manager does not try again.
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except Exception:
        if not is_json():
            raise
        get_log("bot").exception("Dreamreel ends by a defect")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
