"""Run every check, in the order in which a person would fix things."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.admin.live_settings import apply_changes
from bot.cli.doctor.backups import judge_backups
from bot.cli.doctor.finding import Finding
from bot.cli.doctor.installation import (
    check_file,
    check_folder,
    check_ports,
    existing,
    judge_hosts,
    judge_limits,
    judge_names,
)
from bot.cli.doctor.money import judge_prices
from bot.cli.doctor.network import check_public_address, check_telegram, list_ways
from bot.cli.doctor.provider_accounts import check_account
from bot.cli.doctor.storage_chat import check_storage_chat
from bot.errors import SettingsError
from bot.maintenance.backup import BackupFolder
from bot.photo_links import key_mark
from bot.provider import Provider
from bot.providers import build_models, build_providers
from bot.request import VideoModel
from bot.settings import Settings, find_unknown_names, load_settings, secrets_of
from bot.settings.errors import FILE
from bot.store.audit import THE_BOT
from bot.stores.examination import MEND_OTHER_BOT, DatabaseCheck, of_another_bot
from bot.stores.open import examine_store, is_shared, shown_url, stored_settings
from bot.styles import use_styles
from bot.text import use_phrases

_DISK_WRONG_MB = 100
"""A video or two, and room for the database."""
_SHORT_SECRET = 16


def check_file_of_settings() -> list[Finding]:
    """Check what stands in `.env` and the environment beside the values."""
    return [*judge_names(find_unknown_names()), *check_file()]


def read_settings() -> tuple[Settings | None, Finding]:
    """Return the settings, or None if they are wrong: then nothing else can be checked."""
    try:
        settings = load_settings()
        use_phrases(settings.phrases_dir)
        use_styles(settings.styles_file)
    except SettingsError as error:
        mend = "Fix it in .env, or in the environment. .env.example explains every setting."
        return None, Finding("settings", "wrong", f"{error}", mend)
    if not Path(FILE).exists():
        return settings, Finding("settings", "ok", "From the environment; there is no .env in this folder.")
    return settings, Finding("settings", "ok", "From .env and the environment.")


async def check_up(settings: Settings, clock: Callable[[], datetime]) -> list[Finding]:
    """Run all checks except that of the settings' syntax. Takes seconds, changes nothing, disturbs no bot."""
    database = await _examine(settings)
    providers = build_providers(settings, clock)
    paid = [provider for provider in providers if not all(model.free for model in provider.models)]
    models = {model.name: model for provider in providers for model in provider.models}
    changes = await stored_settings(settings.database_url, THE_BOT)
    settings = apply_changes(settings, changes, models).settings
    try:
        of_network = await asyncio.gather(
            check_telegram(settings, clock),
            check_storage_chat(settings, clock),
            check_public_address(settings, clock, _by_link(models), is_running=database.in_use),
            *(check_account(provider) for provider in paid),
        )
    finally:
        for provider in providers:
            await provider.close()
    of_telegram, of_storage, of_address, *of_accounts = of_network
    found = [
        *of_telegram,
        *of_storage,
        list_ways(settings, [provider.name for provider in paid]),
        judge_database(database, shown_url(settings.database_url), settings),
        _check_disk(settings),
        *check_folder("DATA_DIR", settings.data_dir),
        *(check_folder("BACKUP_DIR", settings.backups) if settings.backup_dir and settings.backups else []),
        *_check_backups(settings, clock(), is_running=database.in_use),
        judge_admins(database, settings),
        _check_models(settings, providers),
        *judge_prices(settings, models),
        *judge_limits(settings),
        *judge_hosts(settings),
        *check_ports(settings, is_running=database.in_use),
        *of_address,
        *_check_secret_key(settings),
        *judge_shared_key(database, settings),
        *(finding for findings in of_accounts for finding in findings),
    ]
    return [_without_secrets(finding, secrets_of(settings)) for finding in found]


async def _examine(settings: Settings) -> DatabaseCheck:
    try:
        return await examine_store(settings.database_url)
    except SettingsError as error:
        return DatabaseCheck(True, problem="cannot be opened", mend=str(error))


def judge_database(database: DatabaseCheck, where: str, settings: Settings) -> Finding:
    if database.problem:
        return Finding("database", "wrong", f"{where} {database.problem}.", database.mend)
    if not database.exists:
        return Finding("database", "ok", f"{where} is created at the first start.")
    if database.bot_id is not None and settings.telegram_bot_token and database.bot_id != settings.bot_id:
        seen = of_another_bot(database.bot_id, settings.bot_id)
        return Finding("database", "wrong", seen, MEND_OTHER_BOT)
    running = ", and a bot is running on it" if database.in_use else ""
    return Finding("database", "ok", f"{where} is sound{running}.")


def judge_disk(folder: Path, free_mb: int, keep_mb: int) -> Finding:
    """Check the free space. `keep_mb` is how much videos that no chat has yet may take."""
    seen = f"{free_mb / 1000:.1f} GB free for {folder}."
    if free_mb < _DISK_WRONG_MB:
        return Finding("disk", "wrong", f"Only {free_mb} MB free for {folder}.", "Free some space.")
    if free_mb < keep_mb:
        mend = f"Free some space, or set KEEP_FILES_MB lower: up to {keep_mb} MB of videos may wait there."
        return Finding("disk", "warning", seen, mend)
    return Finding("disk", "ok", seen)


def judge_admins(database: DatabaseCheck, settings: Settings) -> Finding:
    admins = settings.admin_users | set(database.admins)
    if admins:
        return Finding("admins", "ok", "One." if len(admins) == 1 else f"{len(admins)}.")
    if database.problem:
        return Finding("admins", "warning", "Unknown: they are in the database.")
    alone = not settings.allowed_users and not settings.allowed_chats
    seen = "There is none yet, and nobody else may order videos." if alone else "There is none yet."
    mend = "The start prints a link: the first person who opens it becomes the admin. Or set ADMIN_USERS."
    return Finding("admins", "warning", seen, mend)


def _check_disk(settings: Settings) -> Finding:
    """Check the disk with less free space of the two that are written to."""
    places = [settings.data_dir]
    if not is_shared(settings.database_url):
        places.append(settings.sqlite_path.parent)
    folders = {existing(place) for place in places}
    free = {folder: shutil.disk_usage(folder).free // 1_000_000 for folder in folders}
    folder = min(sorted(free), key=lambda each: free[each])
    return judge_disk(folder, free[folder], settings.keep_files_mb)


def _check_backups(settings: Settings, now: datetime, *, is_running: bool) -> list[Finding]:
    if is_shared(settings.database_url):
        return []
    folder = BackupFolder.from_settings(settings)
    today = now.astimezone(settings.zone).date()
    return [judge_backups(settings, folder.newest() if folder else None, today, is_running=is_running)]


def _check_models(settings: Settings, providers: Iterable[Provider]) -> Finding:
    try:
        models = build_models(settings, list(providers))
    except SettingsError as error:
        return Finding("models", "wrong", str(error), "Correct DEFAULT_MODEL, or leave it empty.")
    if all(model.free for model in models.values()):
        mend = "Put a provider's key into .env."
        return Finding("models", "warning", "Only preview: no provider is set up.", mend)
    names = [name for name, model in models.items() if not model.free]
    return Finding("models", "ok", f"{', '.join(names)}. The default is {next(iter(models))}.")


def _check_secret_key(settings: Settings) -> list[Finding]:
    if settings.secret_key is None or len(settings.secret_key.get_secret_value()) >= _SHORT_SECRET:
        return []
    seen = "SECRET_KEY is so short that it can be guessed, and photo links can be forged with it."
    mend = f"Use {_SHORT_SECRET} characters or more, or leave it empty: the bot generates one."
    return [Finding("secret key", "warning", seen, mend)]


def judge_shared_key(database: DatabaseCheck, settings: Settings) -> list[Finding]:
    """Compare SECRET_KEY with that of the process that started last on the same database."""
    if not (database.in_use and database.key_mark and settings.secret_key):
        return []
    if database.key_mark == key_mark(settings.secret_key.get_secret_value()):
        return []
    seen = "SECRET_KEY is not that of the process that started last: it refuses the links of this one."
    return [
        Finding("secret key", "wrong", seen, "Set the same SECRET_KEY for every process, and restart them.")
    ]


def _by_link(models: Mapping[str, VideoModel]) -> list[str]:
    return [name for name, model in models.items() if model.photo_as == "link"]


def _without_secrets(finding: Finding, secrets: list[str]) -> Finding:
    """Remove secrets and control characters that a server or a library may have put into an answer."""

    def clean(text: str) -> str:
        for secret in secrets:
            # Anything shorter is not a secret and occurs in ordinary words.
            text = text.replace(secret, "[hidden]") if len(secret) > 5 else text
        return "".join(letter if letter.isprintable() else "?" for letter in text)

    return replace(finding, seen=clean(finding.seen), mend=clean(finding.mend))
