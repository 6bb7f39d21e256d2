"""`python -m bot tasks`: what is stored of requests, and what an operator does with one of them.

Works beside a running bot, which goes on from what it finds.
"""

from __future__ import annotations

import sys
from decimal import Decimal

import click
from rich.console import Console, RenderableType

from bot.admin.retry import check_retry
from bot.admin.retry import retry as retry_task
from bot.cli import task_actions, task_table
from bot.cli import watch as watching
from bot.cli.context import CliContext, run
from bot.cli.task_actions import Refused
from bot.store import TaskFilter
from bot.store.audit import THE_MACHINE
from bot.task import SUBMIT_UNKNOWN, Task, TaskState

_STATES = ("draft", "queued", "submitting", "running", "succeeded", "failed", "cancelled")
_WIDE = 160
_OPEN = ("queued", "submitting", "running")
_ID = click.IntRange(-(2**63), 2**63 - 1)


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
_the_task = click.argument("task_id", metavar="TASK")


@click.group()
def tasks() -> None:
    """See requests and change them, beside the bot that runs.

    TASK is an id, or as much of its beginning as no other has.
    """


@tasks.command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(_STATES), help="May be given several times."
)
@click.option("--open", "only_open", is_flag=True, help="What waits or runs.")
@click.option("--user", "user_id", type=_ID, help="Of this Telegram user.")
@click.option("--chat", "chat_id", type=_ID, help="Of this chat.")
@click.option("--provider", help="At this provider.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--older-than", metavar="TASK", help="The page that comes after this one.")
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
    """Newest first."""

    async def work(ctx: CliContext) -> None:
        which = TaskFilter(
            states=frozenset(map(TaskState, (*states, *(_OPEN if only_open else ())))),
            user_id=user_id,
            chat_id=chat_id,
            provider=provider,
        )
        last = await task_actions.find(ctx.store, older_than) if older_than else None
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
        _print(
            task_table.draw_table(page, await ctx.ahead(page), ctx.now, below) if page else "Nothing there."
        )

    run(work)


@tasks.command()
@_the_task
@_as_json
def show(task_id: str, as_json: bool) -> None:
    """All that is known of one, and every call made for it."""

    async def work(ctx: CliContext) -> None:
        task = await task_actions.find(ctx.store, task_id)
        attempts = await ctx.store.tasks.attempts(task.id)
        if as_json:
            calls = [task_table.attempt_json(attempt) for attempt in attempts]
            click.echo(task_table.write_json(task_table.task_json(task) | {"attempts": calls}))
        else:
            ahead = (await ctx.ahead([task])).get(task.id, 0)
            _print(task_table.draw_story(task, attempts, ahead, ctx.now))

    run(work)


@tasks.command()
@_the_task
@_as_json
def cancel(task_id: str, as_json: bool) -> None:
    """Stop it, as the button on its card does.

    What is not handed over yet ends, free of charge. A job that runs goes on unseen: it cannot be stopped,
    and is paid for.
    """

    async def work(ctx: CliContext) -> None:
        task = await task_actions.cancel(ctx.store, await task_actions.find(ctx.store, task_id), ctx.now)
        paid = task.state.value in ("submitting", "running")
        _report(task, "It goes on unseen: it is paid for." if paid else "It is cancelled.", as_json)

    run(work)


@tasks.command("put-first", short_help="Let it have its provider's next slot.")
@_the_task
@_as_json
def put_first(task_id: str, as_json: bool) -> None:
    """Let it have the next slot of its provider, before everybody else."""

    async def work(ctx: CliContext) -> None:
        task = await task_actions.find(ctx.store, task_id)
        await task_actions.put_first(ctx.store, task, ctx.now)
        _report(task, "It comes next.", as_json)

    run(work)


@tasks.command(short_help="Give a lost order its id at the provider.")
@_the_task
@click.argument("remote_id")
@_as_json
def attach(task_id: str, remote_id: str, as_json: bool) -> None:
    """Give a submit of unknown outcome the id that its provider has for it.

    The id stands in the log, or in the provider's own list of jobs. The bot then looks at the job and
    delivers the video.
    """

    async def work(ctx: CliContext) -> None:
        task = await task_actions.find(ctx.store, task_id)
        async with ctx.models() as models:
            task = await task_actions.attach(
                ctx.store, task, remote_id, models.get(task.request.model), ctx.now
            )
        _report(task, "It runs, and is looked at now.", as_json)

    run(work)


@tasks.command()
@_the_task
@click.option("--yes", is_flag=True, help="Do not ask whether it may cost something.")
@_as_json
def retry(task_id: str, yes: bool, as_json: bool) -> None:
    """Ask once more for what failed or was cancelled. COSTS MONEY, except with free models.

    It becomes a task of its own, on the same card and on nobody's limits.
    """

    async def work(ctx: CliContext) -> None:
        task = await task_actions.find(ctx.store, task_id)
        async with ctx.models() as models:
            model = models.get(task.request.model)
            check_retry(task, model)
            assert model is not None  # noqa: S101 - that is one of the reasons why not
            price = ctx.settings.model_prices.quote(task.request, model)
            if not (model.free or yes):
                _agree(task, price, ctx.settings.currency)
            again = await retry_task(ctx.store, task, model, price, by=THE_MACHINE, now=ctx.now)
        _report(again, "It waits for its turn.", as_json)

    run(work)


@tasks.command(short_help="See what waits and runs as it changes.")
@click.argument("task_id", metavar="[TASK]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each change.")
def watch(task_id: str | None, as_json: bool) -> None:
    """See what waits and runs as it changes, or one task until its end. Ctrl-C ends it."""

    async def work(ctx: CliContext) -> None:
        if as_json:
            await watching.print_changes(ctx, task_id, click.echo)
        else:
            await watching.draw(ctx, task_id)

    run(work)


def _agree(task: Task, price: Decimal | None, currency: str | None) -> None:
    """Ask whether to spend the money. Raises Refused unless the answer is yes."""
    costs = "costs money" if price is None else f"costs {price} {currency or ''}".rstrip()
    twice = " It may have been charged once already." if task.error_code == SUBMIT_UNKNOWN else ""
    if not sys.stdin.isatty():
        raise Refused(f"Another video {costs}.{twice} Say --yes to order it.")
    if not click.confirm(f"Another video {costs}.{twice} Order it?", err=True):
        raise Refused("Nothing was ordered.")


def _report(task: Task, words: str, as_json: bool) -> None:
    click.echo(task_table.write_json(task_table.task_json(task)) if as_json else f"{task.id}: {words}")


def _print(what: RenderableType) -> None:
    # A program that reads the output line by line needs whole lines.
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(what)
