"""One module for each command or family of buttons. Each declares its `COMMANDS` and `BUTTONS`."""

from bot.chat.features import (
    again,
    cancel,
    draft,
    extend,
    film,
    forget,
    help,
    history,
    models,
    next_steps,
    photo_pairs,
    privacy,
    queue,
    settings,
    stats,
    style,
    video,
)
from bot.chat.features.admin import allow_ban, limit, page, pause, set_setting, waiting_list
from bot.chat.features.results import details, join, original, share
from bot.chat.handlers import Feature

FEATURES: tuple[Feature, ...] = (
    *(
        video,
        style,
        extend,
        film,
        again,
        history,
        queue,
        cancel,
        models,
        settings,
        help,
        stats,
        privacy,
        forget,
    ),
    *(draft, photo_pairs, next_steps, details, share, join, original),
    *(page, allow_ban, limit, set_setting, pause, waiting_list),
)
"""In the order of the menus."""
