"""Failover: which other models may make a task's video if its own provider is out of order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from bot.request import Mode, VideoModel, VideoRequest, alternatives
from bot.task import Task


def stand_ins(
    task: Task,
    models: Mapping[str, VideoModel],
    quote: Callable[[VideoRequest], Decimal | None],
    companies: Collection[str] = (),
) -> list[str]:
    """Return the models that were not tried and do the same for no more money, in the order of `models`.

    `companies`: those of which the person knows that they get photos. No other gets one.
    """
    tried = {task.request.model, *task.tried_models}
    return [
        name
        for name in alternatives(task.request, models)
        if name not in tried
        and _takes_photos_alike(task.request, models[task.request.model], models[name])
        and _may_have_photos(task.request, models[task.request.model], models[name], companies)
        and _is_agreed(task, quote(task.request.model_copy(update={"model": name})))
    ]


def _takes_photos_alike(request: VideoRequest, ours: VideoModel, other: VideoModel) -> bool:
    """Return True if the other model makes the same of the photos: the person agreed to what is cut off."""
    alike = (ours.crops_photo, ours.ratios) == (other.crops_photo, other.ratios)
    return request.mode in {Mode.TEXT, Mode.REFERENCES} or (
        alike and ours.ratio_with_photo == other.ratio_with_photo
    )


def _may_have_photos(
    request: VideoRequest, ours: VideoModel, other: VideoModel, companies: Collection[str]
) -> bool:
    return not request.photos or other.company in {"", ours.company, *companies}


def _is_agreed(task: Task, price: Decimal | None) -> bool:
    """Return True if it costs no more than what the person was told."""
    return task.price is None or (price is not None and price <= task.price)
