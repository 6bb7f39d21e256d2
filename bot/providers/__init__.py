"""The video providers: each file implements `bot.provider.Provider` and builds it from the settings.

`wire/` is what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.errors import SettingsError
from bot.provider import Provider
from bot.providers import ark, geekai, jiekou, jimeng_relay, preview, unified_relay, volcengine
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Http
from bot.request import VideoModel
from bot.settings import Settings, proxy_for_provider

_ALL = (volcengine, geekai, jimeng_relay, unified_relay, jiekou, ark, preview)
"""In the order in which people see their models."""


def build_providers(settings: Settings, clock: Callable[[], datetime]) -> list[Provider]:
    """Build a provider for each account that is set up, and the preview."""
    # Four times what Telegram takes: larger videos are shrunk before they are sent.
    max_bytes = max(200_000_000, settings.upload_max_bytes)
    built = []
    for module in _ALL:
        proxy = proxy_for_provider(settings, module.__name__.rpartition(".")[2])
        address = proxy.url if proxy else None
        fetcher = VideoFetcher(settings.trusted_private_hosts, address, max_bytes)
        built.append(module.from_settings(settings, Http(proxy=address), fetcher, clock))
    return [provider for provider in built if provider is not None]


def build_models(settings: Settings, providers: Sequence[Provider]) -> dict[str, VideoModel]:
    """Return every model by name: the default first, the others in the order of `providers`.

    Models that take photos by link are marked as taking none if PUBLIC_URL is not set. Raises SettingsError
    if DEFAULT_MODEL is not among them.
    """
    offered = [_as_set(model, settings) for provider in providers for model in provider.models]
    models = {model.name: model for model in offered}
    default = settings.default_model
    if default is None:
        return models
    if default not in models:
        raise SettingsError(f"DEFAULT_MODEL: there is no {default} here. Set up are: {', '.join(models)}.")
    return {default: models[default], **models}


def _as_set(model: VideoModel, settings: Settings) -> VideoModel:
    """Return the model with what the settings allow of it."""
    is_reachable = settings.public_url is not None or model.photo_as == "bytes"
    return model if is_reachable else replace(model, photo_reachable=False)
