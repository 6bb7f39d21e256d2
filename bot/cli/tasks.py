"""`python -m bot tasks`: list and show requests, and cancel, prioritise, settle or retry one.

Works beside a running bot, which goes on from what it finds.
"""

from __future__ import annotations

import sys
from decimal import Decimal

import click
from rich.console import Console, RenderableType

from bot.admin.actions import ActionRefused
from bot.cli import task_table
from bot.cli import watch as watching
from bot.cli.context import CliContext, find_task, run
from bot.store import TaskFilter
from bot.store.audit import THE_MACHINE
from bot.task import Task, TaskState

_STATES = ("draft", "queued", "submitting", "running", "succeeded", "failed", "cancelled")
_WIDE = 160
_OPEN = ("queued", "submitting", "running")
_ID = click.IntRange(-(2**63), 2**63 - 1)


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
_the_task = click.argument("task_id", metavar="TASK")


@click.group()
def tasks() -> None:
    """Show and change requests, also while the bot runs.

    TASK is an id, or a beginning of it that no other task has.
    """


@tasks.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES),
    help="Only this state. Can be given several times.",
)
@click.option("--open", "only_open", is_flag=True, help="What waits or runs.")
@click.option("--user", "user_id", type=_ID, help="Of this Telegram user.")
@click.option("--chat", "chat_id", type=_ID, help="Of this chat.")
@click.option("--provider", help="At this provider.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--older-than", metavar="TASK", help="Only requests older than this one, for the next page.")
@_as_json
def list_tasks(
    *,
    states: tuple[str, ...],
    only_open: bool,
    user_id: int | None,
    chat_id: int | None,
    provider: str | None,
    limit: int,
    older_than: str | None,
    as_json: bool,
) -> None:
    """List requests, newest first."""

    async def work(ctx: CliContext) -> None:
        which = TaskFilter(
            states=frozenset(map(TaskState, (*states, *(_OPEN if only_open else ())))),
            user_id=user_id,
            chat_id=chat_id,
            provider=provider,
        )
        last = await find_task(ctx.store, older_than) if older_than else None
        found = await ctx.store.tasks.list_tasks(which, limit + 1, last)
        page, more = found[:limit], len(found) > limit
        if as_json:
            click.echo(
                task_table.write_json({"tasks": [task_table.task_json(task) for task in page], "more": more})
            )
            return
        below = f"{len(page)} of {await ctx.store.tasks.count_tasks(which)}"
        if more:
            below += f"; the next page: --older-than {page[-1].id}"
        _print(task_table.draw_table(page, await ctx.ahead(page), ctx.now, below) if page else "No requests.")

    run(work)


@tasks.command()
@_the_task
@_as_json
def show(task_id: str, as_json: bool) -> None:
    """Show everything about one request, and every call that was made for it."""

    async def work(ctx: CliContext) -> None:
        task = await find_task(ctx.store, task_id)
        attempts = await ctx.store.tasks.attempts(task.id)
        if as_json:
            calls = [task_table.attempt_json(attempt) for attempt in attempts]
            click.echo(task_table.write_json(task_table.task_json(task) | {"attempts": calls}))
        else:
            ahead = (await ctx.ahead([task])).get(task.id, 0)
            _print(task_table.draw_task_page(task, attempts, ahead, ctx.now))

    run(work)


@tasks.command()
@_the_task
@_as_json
def cancel(task_id: str, as_json: bool) -> None:
    """Cancel a request, as the button on its card does.

    A request that is not submitted yet ends, free of charge. A job that runs cannot be stopped and is paid
    for: it goes on, and its video is not shown.
    """

    async def work(ctx: CliContext) -> None:
        found = await find_task(ctx.store, task_id)
        task = await ctx.actions().cancel(found.id, THE_MACHINE)
        paid = task.state.value in ("submitting", "running")
        _report(
            task, "It goes on without being shown: it is already paid for." if paid else "Cancelled.", as_json
        )

    run(work)


@tasks.command("put-first", short_help="Give a request its provider's next slot.")
@_the_task
@_as_json
def prioritise(task_id: str, as_json: bool) -> None:
    """Give a request the next slot of its provider, before all others."""

    async def work(ctx: CliContext) -> None:
        task = await find_task(ctx.store, task_id)
        await ctx.actions().prioritise(task.id, THE_MACHINE)
        _report(task, "It gets the next slot.", as_json)

    run(work)


@tasks.command(short_help="Give a submit of unknown outcome its id.")
@_the_task
@click.argument("remote_id")
@_as_json
def attach(task_id: str, remote_id: str, as_json: bool) -> None:
    """Give a submit of unknown outcome the id that its provider has for it.

    The id is in the log, or in the provider's own list of jobs. The bot then polls the job and delivers the
    video.
    """

    async def work(ctx: CliContext) -> None:
        task = await find_task(ctx.store, task_id)
        async with ctx.models() as models:
            task = await ctx.actions(models).attach(task.id, remote_id, THE_MACHINE)
        _report(task, "It is running and is polled now.", as_json)

    run(work)


@tasks.command("not-made", short_help="Settle a submit of unknown outcome that was not made.")
@_the_task
@_as_json
def not_made(task_id: str, as_json: bool) -> None:
    """Settle a submit of unknown outcome that its provider's list of jobs does not have.

    Its slot is free, and it does not count as bought.
    """

    async def work(ctx: CliContext) -> None:
        found = await find_task(ctx.store, task_id)
        task = await ctx.actions().free_slot(found.id, THE_MACHINE)
        _report(task, "It was not made: its slot is free.", as_json)

    run(work)


@tasks.command()
@_the_task
@click.option("--yes", is_flag=True, help="Do not ask before spending money.")
@_as_json
def retry(task_id: str, yes: bool, as_json: bool) -> None:
    """Order a failed or cancelled request again. COSTS MONEY, except with free models.

    It becomes a new task on the same card, outside everybody's limits.
    """

    async def work(ctx: CliContext) -> None:
        task = await find_task(ctx.store, task_id)
        async with ctx.models() as models:
            actions = ctx.actions(models)
            model = actions.check_retry(task)
            if not (model.free or yes):
                _agree(task, ctx.settings.model_prices.quote(task.request, model), ctx.settings.currency)
            again = await actions.retry(task.id, THE_MACHINE)
        _report(again, "It is queued.", as_json)

    run(work)


@tasks.command(short_help="Watch waiting and running requests.")
@click.argument("task_id", metavar="[TASK]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each change.")
def watch(task_id: str | None, as_json: bool) -> None:
    """Watch waiting and running requests as they change, or one until its end. Press Ctrl-C to stop."""

    async def work(ctx: CliContext) -> None:
        if as_json:
            await watching.print_changes(ctx, task_id, click.echo)
        else:
            await watching.draw(ctx, task_id)

    run(work)


def _agree(task: Task, price: Decimal | None, currency: str | None) -> None:
    """Ask whether to spend the money. Raises ActionRefused unless the answer is yes."""
    costs = "costs money" if price is None else f"costs {price} {currency or ''}".rstrip()
    twice = " The first order may have been charged already." if task.has_unknown_outcome else ""
    if not sys.stdin.isatty():
        raise ActionRefused(f"Another video {costs}.{twice} Pass --yes to order it.")
    if not click.confirm(f"Another video {costs}.{twice} Order it?", err=True):
        raise ActionRefused("Nothing was ordered.")


def _report(task: Task, words: str, as_json: bool) -> None:
    click.echo(task_table.write_json(task_table.task_json(task)) if as_json else f"{task.id}: {words}")


def _print(what: RenderableType) -> None:
    # A program that reads the output line by line needs whole lines.
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(what)
