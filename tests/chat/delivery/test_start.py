"""Starting: what cannot work ends with one line, and the sandbox keeps away from everything real."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BotHarness, BotProcess, bot_process, open_gate, says, stage

from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.polling import KEY_REFUSED, KEY_TAKEN, NO_BOT_API
from bot.sandbox import Fault, FaultKind

WRONG_TOKEN = "123456789:AAFreallyNobodysTokenFreallyNobodysTok"


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path / "first") as made:
        made.folder.mkdir()
        yield made
        assert made.world.complaints == []


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "TELEGRAM_BOT_TOKEN is not set: get one from @BotFather"),
        ({"telegram_bot_token": "s3cretbutwrong"}, "TELEGRAM_BOT_TOKEN should be: a token as @BotFather"),
        ({"telegram_bot_token": WRONG_TOKEN, "default_model": "dall-e"}, "DEFAULT_MODEL: there is no dall-e"),
        ({"telegram_bot_token": WRONG_TOKEN, "allowed_users": "me"}, "ALLOWED_USERS should be: a comma list"),
    ],
)
async def test_a_setting_that_cannot_work_ends_the_start_with_one_line(
    tmp_path: Path, values: dict[str, str], line: str
) -> None:
    said = await _refused(BotProcess(tmp_path, values))
    assert line in said
    assert values.get("telegram_bot_token", "no token") not in said


async def test_a_telegram_out_of_reach_ends_the_start_with_one_line_and_is_worth_another_try(
    tmp_path: Path,
) -> None:
    values = {"telegram_bot_token": WRONG_TOKEN, "telegram_api_url": "http://127.0.0.1:9"}
    said = await _refused(BotProcess(tmp_path, values), status=1)
    assert "Telegram cannot be reached" in said
    assert WRONG_TOKEN not in said


async def test_nothing_is_made_on_the_disk_without_a_token(tmp_path: Path) -> None:
    await _refused(BotProcess(tmp_path, {}))
    assert [path.name for path in tmp_path.rglob("*") if path.suffix == ".db"] == []


async def test_a_proxy_of_the_environment_is_no_way_to_this_machine(
    live_bot: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    bot = connect(live_bot.server.token, live_bot.server.url, open_gate())
    await bot.initialize()
    assert bot.id == live_bot.world.bot.id
    await bot.shutdown()


async def test_a_token_that_telegram_does_not_know_ends_the_start_with_one_line(live_bot: BotHarness) -> None:
    said = await _refused(BotProcess(live_bot.folder, live_bot.values(telegram_bot_token=WRONG_TOKEN)))
    assert KEY_REFUSED in said
    assert WRONG_TOKEN not in said


async def test_a_second_bot_with_one_token_says_so_and_stops_while_the_first_goes_on(
    live_bot: BotHarness, tmp_path: Path
) -> None:
    async with bot_process(live_bot.folder, live_bot.values()) as first:
        # From its first long poll on it is at home: some seconds after its start.
        await live_bot.until(
            lambda: any(call.params["timeout"] > 10 for call in live_bot.server.calls_of("getUpdates"))
        )
        second = tmp_path / "second"
        second.mkdir()
        values = live_bot.values(database_url=f"sqlite:///{second}/bot.db", data_dir=str(second))
        said = await _refused(BotProcess(second, values), after="Dreamreel is up")
        assert KEY_TAKEN in said
        assert first.is_running
        ada, chat = live_bot.newcomer()
        assert (await live_bot.answer(live_bot.world.say(ada, chat, "/start")))["text"] == says("start")


async def test_a_second_bot_on_the_same_data_says_so_and_leaves_the_first_alone(live_bot: BotHarness) -> None:
    async with bot_process(live_bot.folder, live_bot.values()) as first:
        polls = len(live_bot.server.calls_of("getUpdates"))
        said = await _refused(BotProcess(live_bot.folder, live_bot.values()))
        assert "Another Dreamreel already uses" in said
        assert first.is_running
        assert all(call.status != 409 for call in live_bot.server.calls_of("getUpdates")[polls:])


async def test_the_sandbox_keeps_away_from_everything_real(tmp_path: Path) -> None:
    """Each of these settings would be an error, or leave a trace, if it were read."""
    traps = {
        "TELEGRAM_BOT_TOKEN": "not a token",
        "DATABASE_URL": "mysql://nowhere",
        "ALLOWED_USERS": "nobody at all",
        "LISTEN_PORT": "99999999",
        "DATA_DIR": str(tmp_path / "trap"),
    }
    folder, temporary = tmp_path / "home", tmp_path / "tmp"
    (folder / "data").mkdir(parents=True)
    temporary.mkdir()
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in traps.items()))
    database = folder / "data" / "dreamreel.db"
    database.write_bytes(b"a database that must not be opened")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert "DATABASE_URL" in await _refused(BotProcess(folder, {}))

    sandbox = BotProcess(folder, {**traps, "TMPDIR": str(temporary)}, "sandbox", "--port", "0")
    await sandbox.start()
    address = await sandbox.prints("Open this in a browser")
    assert "http://127.0.0.1:" in address
    sandbox.send(signal.SIGTERM)
    assert await sandbox.end() == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert database.read_bytes() == b"a database that must not be opened"
    assert not (tmp_path / "trap").exists()
    assert list(temporary.iterdir()) == []  # what it kept meanwhile is gone with it


async def test_a_taken_port_is_one_line(live_bot: BotHarness, tmp_path: Path) -> None:
    port = live_bot.server.url.rpartition(":")[2]
    said = await _refused(BotProcess(tmp_path, {}, "sandbox", "--port", port))
    assert f"{port} on 127.0.0.1 cannot be used" in said


async def _refused(process: BotProcess, after: str = "", status: int = 2) -> str:
    """The one line with which a start ends; `after` is in the last line that it prints before."""
    await process.start()
    if after:
        await process.prints(after)
        process.printed = ""
    assert await process.end() == status
    lines = [line for line in process.printed.splitlines() if line.startswith("Dreamreel cannot run: ")]
    lines += [line for line in process.printed.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, process.printed
    assert "Traceback" not in process.printed
    if not after:
        assert process.printed.strip() == lines[0]
    return process.printed


def test_a_start_loads_no_codec_and_nothing_that_few_need() -> None:
    """They are a fifth of the memory, and the worker processes have them."""
    heavy = "av PIL pillow_heif asyncpg jinja2 prometheus_client sqlite_utils"
    told = f"import sys, bot.app; print(*(name for name in '{heavy}'.split() if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
async def test_an_idle_bot_holds_less_than_90_megabytes(live_bot: BotHarness) -> None:
    async with bot_process(live_bot.folder, live_bot.values(private_port="0")) as bot:
        ada, chat = live_bot.newcomer()
        await live_bot.handled(ada, chat)
        status = Path(f"/proc/{bot.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    # Python 3.14 itself holds more; the image and the goal are about those before it.
    assert int(found[1]) / 1024 < (90 if sys.version_info < (3, 14) else 100)


async def test_a_page_where_telegram_should_be_is_a_wrong_address_and_no_wrong_token(
    live_bot: BotHarness,
) -> None:
    live_bot.server.faults.add(Fault("getMe", FaultKind.SERVER_ERROR, times=None, status=404))
    said = await _refused(BotProcess(live_bot.folder, live_bot.values()), status=1)
    assert NO_BOT_API in said
    assert KEY_REFUSED not in said


async def test_a_data_dir_that_cannot_be_written_ends_the_start_with_one_line(
    live_bot: BotHarness, tmp_path: Path
) -> None:
    """The database is elsewhere: everything would be bought, and nothing delivered."""
    (tmp_path / "a file").touch()
    values = live_bot.values(data_dir=str(tmp_path / "a file"), secret_key="a key of the tests")
    said = await _refused(BotProcess(live_bot.folder, values))
    assert f"Nothing can be written to DATA_DIR {tmp_path / 'a file'}: " in said


@pytest.mark.parametrize("wrong", [{}, {"telegram_bot_token": "no token"}])
async def test_a_log_for_programs_is_json_from_its_first_line(
    live_bot: BotHarness, wrong: dict[str, str]
) -> None:
    values = live_bot.values(**{"log_format": "json", "private_port": "0", **wrong})
    process = BotProcess(live_bot.folder, values)
    await process.start()
    if not wrong:
        await process.prints("Dreamreel is up")
        process.send(signal.SIGTERM)
    assert await process.end() == (2 if wrong else 0)
    lines = [json.loads(line) for line in process.printed.splitlines()]
    events = [line["event"] for line in lines]
    assert ("Dreamreel cannot run" if wrong else "Dreamreel is up") in events
    assert all(line["timestamp"].endswith("Z") for line in lines)


async def test_every_order_and_its_end_are_lines_in_the_log(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    process = BotProcess(live_bot.folder, live_bot.values(log_format="json"))
    await process.start()
    await process.prints("Dreamreel is up")
    live_bot.world.say(ada, chat, "/video a paper boat")
    await live_bot.shown(chat)
    process.send(signal.SIGTERM)
    await process.end()
    lines = [json.loads(line) for line in process.printed.splitlines()]
    (order,) = [line for line in lines if line["event"] == "ordering a video"]
    (end,) = [line for line in lines if line["event"] == "the order has ended"]
    assert order["task"] == end["task"]
    assert (order["user"], end["user"], end["state"]) == (ada.id, ada.id, "succeeded")
    assert {"model", "price", "seconds"} <= order.keys()
    assert "a paper boat" not in process.printed


async def test_the_database_of_another_bot_is_noticed_at_the_start(live_bot: BotHarness) -> None:
    """Its updates have the same ids as ours: they would be taken for what has been handled."""
    async with bot_process(live_bot.folder, live_bot.values()):
        pass
    said = await _refused(BotProcess(live_bot.folder, live_bot.values(telegram_bot_token=WRONG_TOKEN)))
    assert f"The database belongs to the bot {live_bot.world.bot.id}, and TELEGRAM_BOT_TOKEN is" in said
    assert "another DATABASE_URL" in said
    async with bot_process(live_bot.folder, live_bot.values()) as again:
        assert again.is_running


@pytest.mark.skipif(sys.platform == "win32", reason="rights of files are others there")
async def test_what_the_bot_writes_is_for_its_own_user_alone(live_bot: BotHarness, tmp_path: Path) -> None:
    folder = tmp_path / "open to all"
    (folder / "videos").mkdir(parents=True)
    for place in (folder, folder / "videos"):
        place.chmod(0o755)
    values = live_bot.values(data_dir=str(folder), secret_key="a key of the tests", log_level="debug")
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, values):
        live_bot.world.say(ada, chat, "/video a paper boat --model preview")
        await live_bot.until(lambda: list((folder / "preview").rglob("*")))
    made = [*folder.rglob("*")]
    assert len(made) > 2
    assert [place for place in made if place.stat().st_mode & 0o077] == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


@pytest.mark.skipif(sys.platform == "win32", reason="rights of files are others there")
async def test_in_local_mode_the_group_may_read_videos_also_if_the_file_of_settings_says_so(
    live_bot: BotHarness, tmp_path: Path
) -> None:
    (live_bot.folder / ".env").write_text("TELEGRAM_LOCAL_MODE=on\n", encoding="utf-8")
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values(data_dir=str(tmp_path / "data"))):
        live_bot.world.say(ada, chat, "/video a paper boat --model preview")
        videos = await live_bot.until(lambda: list((tmp_path / "data/preview").rglob("*.*")))
    assert {stat.S_IMODE(one.stat().st_mode) & 0o077 for one in videos if one.exists()} <= {0o040}


async def test_a_log_at_debug_says_more_than_one_at_info(live_bot: BotHarness) -> None:
    told = {}
    for level in ("info", "debug"):
        ada, chat = live_bot.newcomer()
        process = BotProcess(live_bot.folder, live_bot.values(log_format="json", log_level=level))
        await process.start()
        await process.prints("Dreamreel is up")
        live_bot.world.say(ada, chat, "/video a paper boat")
        await live_bot.shown(chat)
        process.send(signal.SIGTERM)
        await process.end()
        told[level] = [json.loads(line) for line in process.printed.splitlines()]
    assert "debug" not in {line["level"] for line in told["info"]}
    of_bot = [one for one in told["debug"] if one["level"] == "debug" and one["logger"].startswith("bot.")]
    assert len({one["event"] for one in of_bot}) >= 2
    assert "a paper boat" not in str(told)
