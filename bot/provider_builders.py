"""The roster: the providers that are set up here, and their models by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.errors import SettingsError
from bot.provider import Provider
from bot.providers._fetch import VideoFetcher
from bot.providers._http import Http
from bot.providers.geekai import GeekAI
from bot.providers.jiekou import JieKou
from bot.providers.jimeng_relay import JimengRelay
from bot.providers.preview import Preview
from bot.providers.unified_relay import UnifiedRelay
from bot.providers.volcengine import Volcengine
from bot.request import VideoModel
from bot.settings import Settings


def build_providers(settings: Settings, clock: Callable[[], datetime]) -> list[Provider]:
    """One for each account that is set up, and always the preview, last."""
    # Four times what can be sent: it is made smaller.
    largest = max(200_000_000, settings.upload_max_bytes)
    http, fetcher = Http(), VideoFetcher(settings.trusted_private_hosts, max_bytes=largest)
    providers: list[Provider] = []
    if settings.volcengine_access_key_id and settings.volcengine_secret_access_key:
        providers.append(
            Volcengine(
                settings.volcengine_access_key_id.get_secret_value(),
                settings.volcengine_secret_access_key,
                settings.volcengine_base_url,
                settings.volcengine_concurrency,
                http=http,
                fetcher=fetcher,
                clock=clock,
            )
        )
    if settings.geekai_api_key:
        providers.append(
            GeekAI(
                settings.geekai_api_key,
                settings.geekai_base_url,
                settings.geekai_concurrency,
                http=http,
                fetcher=fetcher,
            )
        )
    if settings.jimeng_relay_api_key and settings.jimeng_relay_base_url:
        providers.append(
            JimengRelay(
                settings.jimeng_relay_api_key,
                settings.jimeng_relay_base_url,
                settings.jimeng_relay_concurrency,
                model=settings.jimeng_relay_model,
                http=http,
                fetcher=fetcher,
            )
        )
    if settings.unified_relay_api_key and settings.unified_relay_base_url:
        providers.append(
            UnifiedRelay(
                settings.unified_relay_api_key,
                settings.unified_relay_base_url,
                settings.unified_relay_concurrency,
                model=settings.unified_relay_model,
                ratios=settings.unified_relay_ratios,
                sizes=settings.unified_relay_sizes,
                clock=clock,
                http=http,
                fetcher=fetcher,
            )
        )
    if settings.jiekou_api_key:
        providers.append(
            JieKou(
                settings.jiekou_api_key,
                settings.jiekou_base_url,
                settings.jiekou_concurrency,
                http=http,
                fetcher=fetcher,
            )
        )
    providers.append(Preview(settings.data_dir / "preview"))
    return providers


def build_models(settings: Settings, providers: Sequence[Provider]) -> dict[str, VideoModel]:
    """Every model by name: the default first, the others in the order of `providers`.

    Models that take photos by link take none where this bot has no address to serve one at. SettingsError
    where the default is none of them.
    """
    models = {
        model.name: model
        if settings.public_url or model.photo_as == "bytes"
        else replace(model, photo_reachable=False)
        for provider in providers
        for model in provider.models
    }
    default = settings.default_model
    if default is None:
        return models
    if default not in models:
        raise SettingsError(f"DEFAULT_MODEL: there is no {default} here. Set up are: {', '.join(models)}.")
    return {default: models[default], **models}
