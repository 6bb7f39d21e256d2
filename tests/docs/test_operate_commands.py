"""Every command of the operator's guide is run by a test, or listed as not run with the reason."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from running import BotHarness, BotProcess, running_bot, stage

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
COVERAGE = tomllib.loads((ROOT / "tests/docs/operate_commands.toml").read_text(encoding="utf-8"))
RUN: list[str] = COVERAGE["run"]["commands"]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROGRAMS = (
    *("curl", "df", "docker", "journalctl", "kubectl", "make", "pg_dump", "pg_restore", "pip", "promtool"),
    *("python", "ssh", "sudo", "systemctl", "tasks"),
)


def commands(text: str) -> set[str]:
    """What a reader would type: the lines of `sh` blocks, and what stands in prose with arguments."""
    lines = [
        re.sub(r"\s+# .*", "", line).strip()
        for language, block in _BLOCK.findall(text)
        if language == "sh"
        for line in block.replace("\\\n", " ").splitlines()
    ]
    quoted = [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", _BLOCK.sub("", text))]
    lines += [code for code in quoted if code.partition(" ")[0] in _PROGRAMS and " " in code]
    return {" ".join(line.split()) for line in lines if line and not line.startswith("#")}


def test_every_command_of_the_guide_is_run_or_listed_with_the_reason_why_not() -> None:
    listed = [*RUN, *COVERAGE["tested"], *COVERAGE["not_run"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == commands(GUIDE)
    assert all(COVERAGE["not_run"].values())


@pytest.mark.parametrize("command", COVERAGE["tested"])
def test_the_test_that_runs_a_command_exists(command: str) -> None:
    path, _, name = COVERAGE["tested"][command].partition("::")
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_no_line_of_prose_is_longer_than_a_hundred_columns() -> None:
    prose = _BLOCK.sub("", GUIDE).splitlines()
    # A table's row is one line, and what stands between two spaces cannot be wrapped.
    assert [line for line in prose if len(line) > 100 and not line.startswith("|") and "`" not in line] == []


@pytest.mark.parametrize("command", [one for one in RUN if one.startswith("python -m bot ")])
async def test_a_command_of_the_bot_works_as_it_stands_beside_a_running_bot(
    command: str, tmp_path: Path
) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values()):
        await _printed(live_bot, *shlex.split(command)[3:])


@pytest.mark.parametrize("command", [one for one in RUN if not one.startswith(("python", "docker"))])
async def test_a_command_of_the_shell_works_as_it_stands_in_a_checkout(command: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".env.example", tmp_path)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    await _shell(command, tmp_path)


async def test_a_backup_is_restored_by_the_command_of_the_guide(tmp_path: Path) -> None:
    (command,) = [one for one in RUN if one.startswith("docker compose run")]
    inside = (
        shlex.split(command)[-1]
        .replace("/data/dreamreel.db", f"{tmp_path}/bot.db")
        .replace("/data", str(tmp_path))
    )
    name = re.findall(r"dreamreel-[\d-]+\.db", command)[0]
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            live_bot.world.say(ada, chat, "/video a paper boat")
            await live_bot.shown(chat, 1)
        (tmp_path / "backups").mkdir()
        shutil.copy(tmp_path / "bot.db", tmp_path / "backups" / name)
        for part in ("", "-wal", "-shm"):
            (tmp_path / f"bot.db{part}").write_bytes(b"no database")
        await _shell(inside, tmp_path)
        assert "succeeded" in await _printed(live_bot, "tasks", "list")


async def _printed(live_bot: BotHarness, *words: str) -> str:
    process = BotProcess(live_bot.folder, live_bot.values(), *words)
    await process.start()
    assert await process.end() == 0, process.printed
    return process.printed


async def _shell(command: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=folder,
        env={"PATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
