"""`python -m bot bill 2026-11`: print a month as CSV, to check a provider's bill."""

from __future__ import annotations

import click

from bot.admin.billing import draw_bill, month_edges
from bot.cli.context import CliContext, run
from bot.log import redactor
from bot.settings import secrets_of


@click.command(short_help="Print a month as CSV, to check a provider's bill.")
@click.argument("month")
def bill(month: str) -> None:
    """Print a month such as 2026-11 as CSV, to check a provider's bill.

    It has a row for each order: when, to which provider, the id there, whether it should be charged (yes, no,
    perhaps), the price, and the outcome. Works while the bot runs.
    """

    async def work(ctx: CliContext) -> None:
        settings = ctx.settings
        try:
            month_edges(month, settings.zone)
        except ValueError:
            raise click.BadParameter(f"{month} is not a month such as 2026-11.", param_hint="MONTH") from None
        async with ctx.models() as models:
            pieces = draw_bill(
                ctx.store.statistics,
                month,
                zone=settings.zone,
                models=models,
                currency=settings.currency,
                redact=redactor(secrets_of(settings)),
            )
            async for piece in pieces:
                click.echo(piece, nl=False)

    run(work)
