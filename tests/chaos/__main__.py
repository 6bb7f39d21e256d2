"""`make chaos`: run after run, each with a seed of its own, until the time is over or the books fail."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from postgres_server import OLDEST, PostgresServer, find_binaries

from chaos.postgres import PostgresUnderTest
from chaos.run import Plan, StoreUnderTest, only_messages, run

_SETTLE_S = 0.4
"""For each request, once there is peace; never less than a plan's own."""


@click.command()
@click.option("--seed", type=int, help="The first seed; drawn, where none is given.")
@click.option("--minutes", default=3.0, show_default=True, help="No run is begun after that.")
@click.option("--requests", default=80, show_default=True)
@click.option("--kills", default=25, show_default=True)
@click.option("--stops", default=3, show_default=True)
@click.option("--faults", default=0.15, show_default=True, help="The share of calls that fail.")
@click.option("--every", default=2.0, show_default=True, help="Seconds until one dies, at most.")
@click.option("--processes", default=1, show_default=True, help="At once; more than one needs PostgreSQL.")
@click.option("--store", default="sqlite", show_default=True, type=click.Choice(["sqlite", "postgres"]))
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for the database and the logs.")
def main(
    seed: int | None,
    minutes: float,
    requests: int,
    kills: int,
    stops: int,
    faults: float,
    every: float,
    processes: int,
    store: str,
    keep: Path | None,
) -> None:
    """Kill the bot, lie to it, and audit its books. The exit code is 1 where they do not balance."""
    if processes > 1 and store != "postgres":
        raise click.UsageError("several processes need --store postgres")
    chosen = random.randrange(1_000_000) if seed is None else seed
    plan = Plan(chosen, requests, kills, stops, faults, processes, moment_s=every)
    plan = replace(plan, settle_s=max(plan.settle_s, _SETTLE_S * requests))
    ends_at = time.monotonic() + 60 * minutes
    if store == "sqlite":
        _play(only_messages(chosen), store, keep)
    while True:
        _play(plan, store, keep)
        if time.monotonic() >= ends_at:
            return
        plan = replace(plan, seed=plan.seed + 1)


def _play(plan: Plan, store: str, keep: Path | None) -> None:
    click.echo(f"seed {plan.seed} ...")
    with _folder(plan, keep) as folder, _store(plan, store) as opened:
        report = asyncio.run(run(plan, folder, opened))
    click.echo(report)
    if report.wrong:
        click.echo(f"Once more: make chaos SEED={plan.seed}, and what else was said")
        sys.exit(1)


@contextmanager
def _folder(plan: Plan, keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix=f"seed-{plan.seed}-", dir=keep))
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


@contextmanager
def _store(plan: Plan, store: str) -> Iterator[StoreUnderTest]:
    """A PostgreSQL of this run's own is restarted once, in the middle."""
    if store == "sqlite":
        yield StoreUnderTest()
        return
    binaries = find_binaries()
    if binaries is None:
        raise click.ClickException(f"PostgreSQL {OLDEST} or newer is not installed (apt install postgresql)")
    server = PostgresServer(binaries, durable=True)
    try:
        server.start()
        url = asyncio.run(server.new_database())
        yield PostgresUnderTest(server, url, restart_before=1 + (plan.kills + plan.stops) // 2)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
