"""`python -m bot backup [FILE]`: copy the database now, beside the running bot."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.context import CliContext, run
from bot.errors import SettingsError, StoreError


@click.command(short_help="Copy the database now.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path | None) -> None:
    """Copy the database into FILE, check the copy, and print its path. Works while the bot runs.

    Without FILE it goes into the folder of the nightly backups, named after the time. The bot never deletes
    such a copy. It holds what people wrote, also what they delete later.
    """

    async def work(ctx: CliContext) -> None:
        settings = ctx.settings
        folder = settings.backup_dir or settings.data_dir / "backups"
        moment = ctx.now.astimezone(settings.zone)
        target = file or folder / f"dreamreel.{moment:%Y-%m-%dT%H%M%S}.db"
        if target.exists():
            raise SettingsError(f"{target} exists: name another file.")
        if not await ctx.store.maintenance.back_up(target):
            raise StoreError("PostgreSQL has its own tools: use pg_dump --format=custom.")
        click.echo(target)

    run(work)
