"""`make chaos`: run after run, each with a seed of its own, until the time is over or the books fail."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import click

from chaos.run import Plan, only_messages, run


@click.command()
@click.option("--seed", type=int, help="The first seed; drawn, where none is given.")
@click.option("--minutes", default=3.0, show_default=True, help="No run is begun after that.")
@click.option("--requests", default=80, show_default=True)
@click.option("--kills", default=25, show_default=True)
@click.option("--stops", default=3, show_default=True)
@click.option("--faults", default=0.15, show_default=True, help="The share of calls that fail.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for the database and the logs.")
def main(
    seed: int | None, minutes: float, requests: int, kills: int, stops: int, faults: float, keep: Path | None
) -> None:
    """Kill the bot, lie to it, and audit its books. The exit code is 1 where they do not balance."""
    chosen = random.randrange(1_000_000) if seed is None else seed
    plan = Plan(chosen, requests=requests, kills=kills, stops=stops, faults=faults)
    ends_at = time.monotonic() + 60 * minutes
    _play(only_messages(chosen), keep)
    while True:
        _play(plan, keep)
        if time.monotonic() >= ends_at:
            return
        plan = replace(plan, seed=plan.seed + 1)


def _play(plan: Plan, keep: Path | None) -> None:
    click.echo(f"seed {plan.seed} ...")
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(run(plan, Path(tempfile.mkdtemp(prefix=f"seed-{plan.seed}-", dir=keep))))
    else:
        with tempfile.TemporaryDirectory() as folder:
            report = asyncio.run(run(plan, Path(folder)))
    click.echo(report)
    if report.wrong:
        click.echo(f"Once more: make chaos SEED={plan.seed}")
        sys.exit(1)


if __name__ == "__main__":
    main()
