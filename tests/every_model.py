"""Every model that the bot has when all its accounts are set up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.providers import build_models, build_providers
from bot.request import VideoModel
from bot.settings import IsolatedSettings

_ACCOUNTS: dict[str, Any] = {
    "volcengine_access_key_id": "id",
    "volcengine_secret_access_key": "secret",
    "geekai_api_key": "key",
    "jimeng_relay_api_key": "key",
    "jimeng_relay_base_url": "https://relay.example",
    "unified_relay_api_key": "key",
    "unified_relay_base_url": "https://relay.example",
    "jiekou_api_key": "key",
    "ark_api_key": "key",
}


def real_models(**options: Any) -> dict[str, VideoModel]:
    """By name, as `options` have them set up."""
    settings = IsolatedSettings(**_ACCOUNTS | options)
    return build_models(settings, build_providers(settings, lambda: datetime.now(UTC)))


WITHOUT_LINKS = real_models()
WITH_LINKS = real_models(public_url="https://bot.example", listen_port=8080)
"""Where the bot has a public address, models that take photos by link can have them."""
