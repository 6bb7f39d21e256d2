"""`make mutations`: breaks a copy of the bot on purpose, promise by promise, and sees that it is noticed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from chaos.run import Plan, run

HOUSE = Path(__file__).parents[2]
_RUNS = 5
"""Of chaos, each with another seed, before a mutation counts as unnoticed."""


@dataclass(frozen=True)
class Mutation:
    name: str
    promise: str
    file: str
    before: str
    after: str
    plan: Mapping[str, Any] = field(default_factory=dict)
    proof: tuple[str, ...] = ()
    """Tests that must fail; without any, a run of chaos must."""

    def fits(self) -> bool:
        """Whether what it changes is there, once: else the bot was changed, and this must be too."""
        return (HOUSE / self.file).read_text().count(self.before) == 1


def mutations() -> list[Mutation]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return [
            Mutation(**one | {"proof": tuple(one.get("proof", ()))}) for one in tomllib.load(file)["mutation"]
        ]


@click.command()
@click.option("--only", default="", help="Mutations with these words in their name or promise.")
def main(only: str) -> None:
    """Each mutation in a copy of its own; the exit code is 1 where one is not noticed."""
    chosen = [one for one in mutations() if only in f"{one.name} {one.promise}"]
    unnoticed = 0
    for one in chosen:
        with tempfile.TemporaryDirectory() as folder:
            sign = _sign_of(one, Path(folder))
        unnoticed += not sign
        click.echo(f"{'noticed' if sign else 'NOT NOTICED':<12}{one.promise}\n  {one.name}\n    {sign}")
    click.echo(f"{len(chosen)} mutations, {unnoticed} not noticed")
    sys.exit(unnoticed > 0)


def _sign_of(mutation: Mutation, folder: Path) -> str:
    """By what the mutation shows itself; empty where it does not."""
    for part in ("bot", "tests", "pyproject.toml", ".env.example"):
        source, target = HOUSE / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    file = folder / mutation.file
    assert mutation.fits(), f"{mutation.name}: what it changes is no longer in {mutation.file}"
    file.write_text(file.read_text().replace(mutation.before, mutation.after))
    return _failing_tests(mutation, folder) if mutation.proof else _unbalanced(mutation, folder)


def _failing_tests(mutation: Mutation, folder: Path) -> str:
    # From there, `bot` is the copy.
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutation.proof],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode in (0, 1), tests.stdout + tests.stderr
    failed = [line for line in tests.stdout.splitlines() if line.startswith("FAILED")]
    return failed[0] if failed else ""


def _unbalanced(mutation: Mutation, folder: Path) -> str:
    plan = Plan(0, requests=30, kills=10, stops=1)
    changes: dict[str, Any] = dict(mutation.plan)
    if calls := changes.get("calls"):
        changes["calls"] = tuple(calls)
    for seed in range(_RUNS):
        data = folder / f"data-{seed}"
        data.mkdir()
        report = asyncio.run(run(replace(plan, seed=seed, settle_s=90.0, **changes), data, code=folder))
        if report.wrong:
            return f"seed {seed}: {report.wrong[0]}" + (
                f" (and {len(report.wrong) - 1} more)" if len(report.wrong) > 1 else ""
            )
    return ""


if __name__ == "__main__":
    main()
