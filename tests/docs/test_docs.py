"""The documentation matches the code: README, docs/ and the installation files."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import pytest
from every_model import WITH_LINKS
from ruamel.yaml import YAML

from bot.__main__ import main
from bot.admin.live_settings import CHANGEABLE
from bot.chat.parsing.film_lines import CUT
from bot.chat.parsing.prompt_options import ALIASES, FLAGS
from bot.prices import NO_PRICES
from bot.request import Mode, listed_seconds
from bot.settings import IsolatedSettings, Settings, load_settings
from bot.stores.transfer import TABLES
from bot.task import MOVES
from bot.worker import schedule

ROOT = Path(__file__).parents[2]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bot/**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
KNOWN = {name.upper() for name in Settings.model_fields}
OF_PYTHON = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH", "PATH"}

paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))

_CONTEXT = click.Context(main)
COMMANDS = {
    name: command for name in main.list_commands(_CONTEXT) if (command := main.get_command(_CONTEXT, name))
}


def _in_example() -> dict[str, str]:
    """Return each setting's default as `.env.example` shows it."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def _in_settings_page() -> dict[str, str]:
    """Return each setting's default as the tables of `docs/settings.md` show it."""
    header = "| name | default | meaning |"
    _, *tables = (ROOT / "docs/settings.md").read_text(encoding="utf-8").split(header)
    rows = [row for table in tables for row in _rows(header + table, header)]
    names = [row[0].strip("`") for row in rows]
    assert len(names) == len(set(names)), "a setting is listed twice"
    return {row[0].strip("`"): row[1].strip("`") for row in rows}


def _rows(text: str, header: str) -> list[list[str]]:
    """Return the cells of the table below `header`, row by row."""
    lines = text.partition(header)[2].splitlines()[2:]
    table = lines[: next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize("listed", [_in_example, _in_settings_page])
def test_every_setting_is_listed_with_its_default_and_no_other(listed: Callable[[], dict[str, str]]) -> None:
    shown = {name.lower(): value for name, value in listed().items()}
    assert set(shown) == set(Settings.model_fields)
    for name, value in shown.items():
        default = getattr(IsolatedSettings(), name)
        if value:
            assert getattr(IsolatedSettings.model_validate({name: value}), name) == default, name
        else:
            assert default in (None, frozenset(), (), NO_PRICES), f"{name} has the default {default}"


def test_the_operators_page_says_of_a_setting_what_the_docs_say() -> None:
    rows = (ROOT / "docs/settings.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| `")]
    meanings = {name.strip("`"): meaning for name, _, meaning in (row for row in cells if len(row) == 3)}
    assert {name: meanings[name] for name in CHANGEABLE} == CHANGEABLE


def test_the_example_has_a_comment_for_each_setting() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for comment, line in pairwise(lines):
        if re.match(r"#?[A-Z][A-Z_]+=", line):
            assert re.match(r"# \S.*\.$", comment), f"{line} stands below {comment!r}"


def test_the_example_changes_nothing_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)
    settings = load_settings(_env_file=ROOT / ".env.example")
    assert settings.model_dump() == IsolatedSettings().model_dump()


@paper
def test_links_lead_somewhere(paper: Path) -> None:
    text = CODE_BLOCK.sub("", paper.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        link = urlsplit(target)
        if link.scheme:
            assert link.scheme == "https", target
            continue
        there = paper.parent / unquote(link.path) if link.path else paper
        assert there.resolve().is_relative_to(ROOT), target
        assert there.exists(), target
        if link.fragment:
            assert link.fragment in _anchors(there), target


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@paper
def test_files_that_are_named_exist(paper: Path) -> None:
    text = CODE_BLOCK.sub("", paper.read_text(encoding="utf-8"))
    named = re.findall(r"`((?:bot|tests|docs|deploy|benchmarks)/[\w./-]*|\.ci/run)`", text)
    for name in named:
        assert (ROOT / name).exists(), name
    folders = [ROOT / "bot", *(ROOT / "bot").rglob("*/")]
    for name in re.findall(r"`(\w+\.py)`", text):
        assert any((folder / name).exists() for folder in folders), name


@paper
def test_no_paper_holds_the_marks_of_a_merge(paper: Path) -> None:
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", paper.read_text(encoding="utf-8"), re.MULTILINE)


@paper
def test_no_paper_holds_a_note_to_ourselves(paper: Path) -> None:
    assert not re.search(r"TODO|FIXME|XXX|TBD", paper.read_text(encoding="utf-8"))


@paper
def test_commands_that_are_named_exist(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)\b", text, re.MULTILINE)) <= targets
    called = set(
        re.findall(
            r"(?:python -m bot|bin/dreamreel|dreamreel) (run|sandbox|doctor|tasks|[\w-]+-store)\b", text
        )
    )
    assert called <= set(COMMANDS)


@paper
def test_options_that_are_named_exist(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    groups = [command for command in COMMANDS.values() if isinstance(command, click.Group)]
    commands = [*COMMANDS.values(), *(one for group in groups for one in group.commands.values())]
    of_commands = {option for one in commands for parameter in one.params for option in parameter.opts}
    of_sandbox = {option for parameter in COMMANDS["sandbox"].params for option in parameter.opts}
    of_chat = {f"--{flag}" for flag in (*FLAGS, *ALIASES, CUT)}
    assert set(re.findall(r"`(--[a-z_-]+)", text)) <= of_commands | of_chat
    assert set(re.findall(r"(?<=sandbox )--[a-z-]+", text)) <= of_sandbox


def test_readme_names_every_option_of_the_chat() -> None:
    rows = _rows(README, "| option | values |")
    named = [flag for row in rows for flag in re.findall(r"`--([a-z]+)`", row[0])]
    assert sorted(named) == sorted(FLAGS)


def test_readme_tells_every_model_as_it_is() -> None:
    told: dict[str, tuple[str, str]] = {}
    for names, _, made_from, seconds, *_ in _rows(README, "| model | made by |"):
        told |= dict.fromkeys(re.findall(r"`([\w.-]+)`", names), (made_from, seconds))
    assert set(told) == set(WITH_LINKS)
    for name, (made_from, seconds) in told.items():
        modes = WITH_LINKS[name].modes
        assert seconds == ", ".join(listed_seconds(WITH_LINKS[name].seconds)), name
        assert ("camera" in made_from, "last photo" in made_from, "references" in made_from) == (
            Mode.CAMERA in modes,
            Mode.FIRST_LAST in modes,
            Mode.REFERENCES in modes,
        ), name


def test_the_state_table_is_that_of_the_code() -> None:
    rows = _rows(ARCHITECTURE, "| from → to | who | when | due again |")
    drawn = {(before, after) for before, after in (row[0].split(" → ") for row in rows) if before != after}
    made = {(before.value, after.value) for before, ends in MOVES.items() for after in ends}
    assert drawn == made | {("–", "draft")}


def test_the_tables_of_the_database_are_all_named() -> None:
    named = ARCHITECTURE.partition("\nTables: ")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", named)) == set(TABLES)


def test_what_installs_the_bot_sets_only_settings_that_exist() -> None:
    image = re.findall(
        r"^(?:ENV| {4})\s*([A-Z_]+)=", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    unit = (ROOT / "deploy/dreamreel.service").read_text(encoding="utf-8")
    service = re.findall(r"^Environment=([A-Z_]+)=", unit, re.MULTILINE)
    for names in (image, service, *(bot["environment"] for bot in _bots().values())):
        assert {"DATA_DIR", "DATABASE_URL"} <= set(names) <= KNOWN | OF_PYTHON


def test_a_stop_leaves_time_for_a_submit_in_flight() -> None:
    unit = (ROOT / "deploy/dreamreel.service").read_text(encoding="utf-8")
    allowed = [*re.findall(r"TimeoutStopSec=(\d+)", unit)]
    allowed += [bot["stop_grace_period"].removesuffix("s") for bot in _bots().values()]
    assert len(allowed) == 4
    assert all(int(seconds) > schedule.SUBMIT_LIMIT_S + 10 for seconds in allowed)


def test_the_unit_and_compose_bound_the_memory_and_outlive_a_worker_that_exceeds_it() -> None:
    unit = (ROOT / "deploy/dreamreel.service").read_text(encoding="utf-8").splitlines()
    assert {"MemoryMax=90%", "OOMPolicy=continue"} <= set(unit)
    assert all(bot["mem_limit"] == "${BOT_MEMORY:-900m}" for bot in _bots().values())


def test_compose_runs_one_bot_alone_or_three_around_a_postgresql() -> None:
    services = _services()
    alone = [name for name, service in services.items() if "profiles" not in service]
    scaled = [name for name, service in services.items() if service.get("profiles", ["scale"]) == ["scale"]]
    assert alone == ["bot"]
    assert scaled == ["bot", "bot-2", "bot-3", "db"]
    assert all(
        published.startswith("127.0.0.1:")
        for service in services.values()
        for published in service.get("ports", [])
    ), "nothing is open to the world"


def _services() -> dict[str, Any]:
    """Return the services of the Compose file, by name."""
    services: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]
    return services


def _bots() -> dict[str, Any]:
    return {
        name: service
        for name, service in _services().items()
        if service["image"] == "${DREAMREEL_IMAGE:-dreamreel}"
    }


def test_the_image_is_built_from_what_it_needs_and_nothing_secret() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {name for line in copied for name in line.split()} == let_in
    assert not any(name.startswith(".env") for name in let_in)


def test_pictures_are_light() -> None:
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 250_000, picture.name
