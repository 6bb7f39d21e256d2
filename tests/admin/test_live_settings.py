"""What admins may change while the bot runs."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import Clock

from bot.admin.live_settings import CHANGEABLE, LiveSettings
from bot.admin.setting_sources import names, shown_value, source_of
from bot.errors import SettingsError
from bot.settings import IsolatedSettings, Settings
from bot.store.audit import THE_BOT, setting
from bot.stores.sqlite import SQLiteStore

ADMIN = 99


@pytest.fixture
def rules(store: SQLiteStore, clock: Clock) -> Any:
    def with_settings(**settings: Any) -> LiveSettings:
        return LiveSettings(
            IsolatedSettings(**settings), store.audit, clock, {"preview": None, "veo-3": None}
        )

    return with_settings


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DAILY_VIDEOS_PER_USER", "7", 7),
        ("daily_videos_per_user", " unlimited ", None),
        ("OPEN_TASKS_PER_CHAT", "0", 0),
        ("ALLOWED_USERS", "20, 21", frozenset({20, 21})),
        ("ALLOWED_USERS", "*", "*"),
        ("ALLOWED_CHATS", "-5", frozenset({-5})),
        ("DEFAULT_MODEL", "veo-3", "veo-3"),
        ("DEFAULT_LANGUAGE", "zh-hant", "zh-hant"),
    ],
)
async def test_a_change_counts_at_once_and_is_read_as_in_the_environment(
    rules: Any, name: str, text: str, value: object
) -> None:
    here = rules()
    assert await here.change(name, text, ADMIN) is True
    assert getattr(here.settings, name.lower()) == value
    assert await here.change(name, text, ADMIN) is False
    row = here.row(name)
    assert (row.changed.by, row.changed.value) == (ADMIN, text.strip())
    assert getattr(LiveSettings(here.settings, here._store, Clock()).settings, name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("DAILY_VIDEOS_PER_USER", "many", "DAILY_VIDEOS_PER_USER should be: "),
        ("DAILY_VIDEOS_PER_USER", "-1", "DAILY_VIDEOS_PER_USER should be: "),
        ("ALLOWED_USERS", "ada", "ALLOWED_USERS should be: a comma list of numeric ids"),
        ("DEFAULT_MODEL", "sora", "DEFAULT_MODEL: there is no sora here. Set up are: preview, veo-3."),
        ("DEFAULT_LANGUAGE", "tlh", "DEFAULT_LANGUAGE should be: en, zh, "),
        ("ADMIN_USERS", "1", "ADMIN_USERS cannot be changed here. These can: ALLOWED_USERS, "),
        ("TELEGRAM_BOT_TOKEN", "1:a", "TELEGRAM_BOT_TOKEN cannot be changed here."),
    ],
)
async def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    rules: Any, store: SQLiteStore, name: str, text: str, sentence: str
) -> None:
    here = rules()
    with pytest.raises(SettingsError) as refused:
        await here.change(name, text, ADMIN)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert await store.audit.entries(9) == []


async def test_another_process_reads_what_was_changed_and_a_restart_keeps_it(
    rules: Any, store: SQLiteStore
) -> None:
    here, there = rules(), rules()
    await here.change("DAILY_VIDEOS_PER_USER", "3", ADMIN)
    await there.change("OPEN_TASKS_PER_USER", "2", 98)
    await here.read()
    assert (here.settings.daily_videos_per_user, here.settings.open_tasks_per_user) == (3, 2)
    later = rules()
    await later.read()
    assert later.settings == here.settings


async def test_taking_a_change_back_leaves_what_the_start_said_and_a_record_of_both(
    rules: Any, store: SQLiteStore, clock: Clock
) -> None:
    here = rules(daily_videos_per_user="9")
    await here.change("DAILY_VIDEOS_PER_USER", "3", ADMIN)
    clock.advance(5)
    assert await here.change("DAILY_VIDEOS_PER_USER", None, 98) is True
    assert here.settings.daily_videos_per_user == 9
    assert here.row("DAILY_VIDEOS_PER_USER").changed is None
    told = [(one.name, one.value, one.by) for one in await store.audit.entries(9, target=str(THE_BOT))]
    assert told == [("DAILY_VIDEOS_PER_USER", None, 98), ("DAILY_VIDEOS_PER_USER", "3", ADMIN)]


async def test_what_another_version_stored_and_does_not_work_here_is_passed_over(
    rules: Any, store: SQLiteStore, clock: Clock
) -> None:
    for name, value in (("DEFAULT_MODEL", "gone"), ("TIMEZONE", "UTC"), ("OPEN_TASKS_PER_USER", "2")):
        await store.audit.add(setting(THE_BOT, name, value, ADMIN, clock()))
    here = rules()
    await here.read()
    assert (here.settings.default_model, here.settings.open_tasks_per_user) == (None, 2)
    await here.change("OPEN_TASKS_PER_USER", "4", ADMIN)
    assert here.settings.open_tasks_per_user == 4


async def test_what_belongs_together_is_changed_and_taken_back_in_an_order_that_works(
    rules: Any, store: SQLiteStore, clock: Clock
) -> None:
    here = rules()
    with pytest.raises(SettingsError, match="DAILY_BUDGET needs MODEL_PRICES"):
        await here.change("DAILY_BUDGET", "20", ADMIN)
    await here.change("MODEL_PRICES", "veo-3=1", ADMIN)
    await here.change("DAILY_BUDGET", "20", ADMIN)
    await here.change("MODEL_PRICES", "veo-3=2", ADMIN)
    later = rules()
    await later.read()
    assert later.settings == here.settings
    assert (str(later.settings.daily_budget), str(later.settings.model_prices)) == ("20", "veo-3=2")
    with pytest.raises(SettingsError, match="DAILY_BUDGET needs MODEL_PRICES"):
        await here.change("MODEL_PRICES", None, ADMIN)
    await here.change("DAILY_BUDGET", None, ADMIN)
    await here.change("MODEL_PRICES", None, ADMIN)
    assert here.settings == rules().settings


async def test_all_else_stays_as_it_was_at_the_start(rules: Any) -> None:
    here = rules(
        volcengine_access_key_id="AK", volcengine_secret_access_key="secret", timezone="Europe/Berlin"
    )
    before = here.settings
    await here.change("DAILY_VIDEOS_PER_USER", "3", ADMIN)
    assert dict(here.settings) == {**dict(before), "daily_videos_per_user": 3}


def test_a_value_is_shown_as_it_could_be_typed_and_a_secret_not_at_all() -> None:
    settings = IsolatedSettings.model_validate(
        {
            "telegram_bot_token": "123456:secretsecret",
            "volcengine_access_key_id": "AK1",
            "volcengine_secret_access_key": "SK1",
            "public_url": "https://ada:word@example.org",
            "listen_port": 8080,
            "allowed_users": "21,3",
            "daily_videos_per_user": "unlimited",
            "model_prices": "jimeng-pro=3.50, veo-3:1080p:sound=0.60/s",
            "daily_budget": "7.50",
        }
    )
    shown = {name: shown_value(settings, name) for name in names(settings)}
    assert shown["TELEGRAM_BOT_TOKEN"] == shown["VOLCENGINE_ACCESS_KEY_ID"] == "set"
    assert shown["GEEKAI_API_KEY"] == shown["DEFAULT_MODEL"] == ""
    assert shown["PUBLIC_URL"] == "https://…@example.org"
    assert shown["ALLOWED_USERS"] == "3,21"
    assert shown["DAILY_VIDEOS_PER_USER"] == "unlimited"
    assert shown["POLL_MAX_SECONDS"] == "60"
    assert shown["MODEL_PRICES"] == "jimeng-pro=3.50,veo-3:1080p:sound=0.60/s"
    assert (shown["DAILY_BUDGET"], shown["DAILY_BUDGET_PER_USER"]) == ("7.50", "unlimited")
    assert not {"secret", "SK1", "AK1", "word"} & set(" ".join(shown.values()).split())
    again = IsolatedSettings.model_validate({name.lower(): shown[name] for name in CHANGEABLE if shown[name]})
    assert {name: shown_value(again, name) for name in CHANGEABLE} == {
        name: shown[name] for name in CHANGEABLE
    }


def test_the_environment_beats_the_file_and_each_is_named(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("OPEN_TASKS_PER_USER=2\nDAILY_VIDEOS_PER_USER=3\n")
    monkeypatch.setenv("DAILY_VIDEOS_PER_USER", "4")
    settings = Settings()
    told = [
        source_of(settings, name) for name in ("OPEN_TASKS_PER_USER", "DAILY_VIDEOS_PER_USER", "TIMEZONE")
    ]
    assert told == [".env", "environment", "default"]
    assert source_of(IsolatedSettings(timezone="UTC"), "TIMEZONE") == "start"
