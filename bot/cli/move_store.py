"""`python -m bot move-store FROM TO`: copy everything into another database."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from bot.errors import DreamreelError, SettingsError
from bot.settings import load_settings
from bot.stores.open import move_between, shown_url

_TARGET = "NEW_DATABASE_URL"


@click.command("move-store", short_help="Copy a whole database into another.")
@click.argument("source", metavar="FROM", default="DATABASE_URL")
@click.argument("target", metavar="TO", default=_TARGET)
def move_store(source: str, target: str) -> None:
    """Copy everything from one database into another, and check that all of it arrived.

    FROM and TO are addresses as in DATABASE_URL, or names of environment variables that hold one: a password
    on a command line can be read by others. Left out, they are DATABASE_URL of the settings and
    NEW_DATABASE_URL. FROM is only read, so you can try this while the bot runs.
    Then stop the bot, run this once more, set DATABASE_URL, and start the bot. TO must be empty, or filled by
    an earlier move and not used since. Videos and the secret key in the data folder are not copied.
    """
    try:
        source, target = _read(source), _read(target)
        counts = asyncio.run(move_between(source, target))
    except DreamreelError as error:
        click.echo(f"Nothing was copied: {error}", err=True)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    for table, count in counts.items():
        click.echo(f"  {table:<11} {count:>8}")
    click.echo(f"Everything is in {shown_url(target)} now. Set DATABASE_URL to it and start the bot.")


def _read(address: str) -> str:
    """Return the address, or what the environment or the settings have by this name. Raises SettingsError."""
    if "://" in address:
        return address
    found = os.environ.get(address)
    if not found and address == "DATABASE_URL":
        found = load_settings().database_url
    if not found:
        raise SettingsError(f"{address} is no address, and no variable of the environment has that name.")
    return found
