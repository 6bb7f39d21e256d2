"""`python -m bot admins`: list the bot's admins, and remove one who claimed it."""

from __future__ import annotations

import click

from bot.cli.context import CliContext, run
from bot.store import TaskFilter
from bot.store.audit import THE_MACHINE


@click.group()
def admins() -> None:
    """List the bot's admins, and remove one who claimed it."""


@admins.command("list")
def list_admins() -> None:
    """List the admins: those in ADMIN_USERS, and the one who claimed the bot by its link."""

    async def work(ctx: CliContext) -> None:
        configured = sorted(ctx.settings.admin_users)
        claimed = [one for one in await ctx.store.people.admins() if one not in configured]
        for user_id, where in [
            *((one, "named in ADMIN_USERS") for one in configured),
            *((one, "claimed the bot by its link") for one in claimed),
        ]:
            names = [
                task.user_name for task in await ctx.store.tasks.list_tasks(TaskFilter(user_id=user_id), 1)
            ]
            click.echo("  ".join(filter(None, [str(user_id), *names, where])))
        if not configured and not claimed:
            click.echo("There is no admin. The next start of the bot prints a link that makes one.")

    run(work)


@admins.command()
@click.argument("user_id", type=click.IntRange(1, 2**63 - 1), metavar="ID")
def remove(user_id: int) -> None:
    """Remove an admin who claimed the bot; ID is their Telegram id.

    Their sessions on the operator's page end at once, and no older link to claim the bot works any more.
    """

    async def work(ctx: CliContext) -> None:
        await ctx.actions().remove_admin(user_id, THE_MACHINE)
        click.echo(f"{user_id} is no admin any more, and has no session on the operator's page.")
        if not ctx.settings.admin_users and not await ctx.store.people.admins():
            click.echo("There is no admin now: restart the bot, which prints a link that makes one.")

    run(work)
