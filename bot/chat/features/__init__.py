"""One module for each command or family of buttons. Each declares its `COMMANDS` and `BUTTONS`."""

from bot.chat.features import (
    admin_allow_ban,
    admin_limit,
    admin_page,
    admin_pause,
    admin_set,
    admin_waiting,
    again,
    cancel,
    details,
    draft,
    extend,
    forget,
    help,
    history,
    join,
    models,
    next_steps,
    photo_pairs,
    privacy,
    queue,
    settings,
    share,
    stats,
    video,
)
from bot.chat.handlers import Feature

FEATURES: tuple[Feature, ...] = (
    *(video, extend, again, history, queue, cancel, models, settings, help, stats, privacy, forget),
    *(draft, photo_pairs, next_steps, details, share, join),
    *(admin_page, admin_allow_ban, admin_limit, admin_set, admin_pause, admin_waiting),
)
"""In the order of the menus."""
