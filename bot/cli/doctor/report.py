"""Draw the findings: a table for people, JSON for scripts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

import click

from bot.cli.doctor.finding import Finding, State
from bot.cli.doctor.setting_values import Value

_NARROWEST, _WIDEST = 60, 100
_COLOURS: dict[State, str] = {"ok": "green", "warning": "yellow", "wrong": "red"}


def draw_table(findings: Sequence[Finding], width: int) -> str:
    """Return a table of `width` columns, with colours; `click.echo` drops those without a terminal."""
    names = max(len(finding.what) for finding in findings)
    indent = 2 + max(map(len, _COLOURS)) + 2 + names + 2
    room = min(max(width, _NARROWEST), _WIDEST) - indent
    lines = [line for finding in findings for line in _row(finding, names, room, indent)]
    return "\n".join([*lines, "", f"  {_sum_up(findings)}"])


def write_json(findings: Sequence[Finding], values: Sequence[Value] = ()) -> str:
    """Write `{"wrong": 1, "warnings": 0, "findings": [{"what", "state", "seen", "mend"}, …], "settings":
    [{"name", "value", "source"}, …]}`"""
    told = {
        "wrong": _count(findings, "wrong"),
        "warnings": _count(findings, "warning"),
        "findings": [asdict(finding) for finding in findings],
        "settings": [asdict(value) for value in values],
    }
    return json.dumps(told, ensure_ascii=False)


def _row(finding: Finding, names: int, room: int, indent: int) -> list[str]:
    # Padded before it is coloured, because format() would count the colour codes.
    state = click.style(f"{finding.state:<7}", fg=_COLOURS[finding.state], bold=finding.state != "ok")
    seen, *more = _wrapped(finding.seen, room)
    below = [*more, *(_wrapped(finding.mend, room - 2, "> ") if finding.mend else [])]
    return [f"  {state}  {finding.what:<{names}}  {seen}", *(" " * indent + line for line in below)]


def _wrapped(text: str, room: int, first: str = "") -> list[str]:
    # Keep URLs, paths and names of settings in one piece, so that they can be copied.
    return textwrap.wrap(
        text,
        room,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _sum_up(findings: Sequence[Finding]) -> str:
    wrong, warnings = _count(findings, "wrong"), _count(findings, "warning")
    noted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    if wrong:
        things = "One thing is wrong" if wrong == 1 else f"{wrong} things are wrong"
        return click.style(f"{things}, {noted}." if warnings else f"{things}.", fg="red", bold=True)
    return f"Nothing is wrong, {noted}." if warnings else click.style("All is well.", fg="green")


def _count(findings: Sequence[Finding], state: State) -> int:
    return sum(finding.state == state for finding in findings)
