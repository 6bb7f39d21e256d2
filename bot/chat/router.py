"""The subjects of the chat: who answers each command, and who acts on each button."""

from __future__ import annotations

from bot.chat.cards.motion_suggestions import VERB as MOTION
from bot.chat.cards.photo_picker import VERB as WHICH
from bot.chat.cards.result_buttons import DETAILS, EXTEND, JOIN, SHARE
from bot.chat.command import Command
from bot.chat.context import ChatContext
from bot.chat.features.admin_actions import Moves
from bot.chat.features.admin_commands import admin_commands, pausing_acts
from bot.chat.features.admin_waiting import FIRST, AdminWaiting
from bot.chat.features.again import Again
from bot.chat.features.cancel import CANCEL, Cancel
from bot.chat.features.details import Details
from bot.chat.features.extend import Extend
from bot.chat.features.forget import VERB as FORGET
from bot.chat.features.forget import Forget
from bot.chat.features.help import Help
from bot.chat.features.history import SHOW, TURN, History
from bot.chat.features.join import Join
from bot.chat.features.privacy import Privacy
from bot.chat.features.queue import BRING, Queue
from bot.chat.features.settings import VERB as SET
from bot.chat.features.settings import SettingsFeature
from bot.chat.features.share import RECIPE, SHARE_PHOTO, Share
from bot.chat.features.stats import Stats
from bot.chat.handlers import ButtonHandler, ChatButtonHandler
from bot.chat.ordering.photo_pairs import PhotoPairs
from bot.chat.telegram_io.video_files import VideoFiles


class Router:
    """`commands` by name, `acts` and `plain_acts` by verb."""

    def __init__(self, ctx: ChatContext) -> None:
        helping = Help(
            bot=ctx.bot,
            messenger=ctx.messenger,
            access=ctx.access,
            preferences=ctx.preferences,
            models=ctx.models,
            default_model=ctx.default_model,
            estimator=ctx.estimator,
            price_labels=ctx.price_labels,
        )
        self.commands: dict[str, Command] = {"help": helping.help, "models": helping.models}
        self.acts: dict[str, ButtonHandler] = {}
        self.plain_acts: dict[str, ChatButtonHandler] = {}
        self.pairs = PhotoPairs(
            tasks=ctx.store.tasks, reading=ctx.reading, orders=ctx.orders, board=ctx.board, models=ctx.models
        )
        self.acts |= {WHICH: self.pairs.choose, MOTION: self.pairs.move}
        videos = VideoFiles(
            ctx.files,
            takes_bytes=ctx.settings.download_max_bytes,
            gives_bytes=ctx.settings.upload_max_bytes,
        )
        self.joining = Join(ctx.bot, videos, ctx.messenger, ctx.clock)
        self.extend = Extend(
            bot=ctx.bot,
            tasks=ctx.store.tasks,
            reading=ctx.reading,
            orders=ctx.orders,
            access=ctx.access,
            preferences=ctx.preferences,
            photos=ctx.photos,
            videos=videos,
            messenger=ctx.messenger,
            models=ctx.models,
            clock=ctx.clock,
        )
        self.again = Again(ctx.store.tasks, ctx.reading, ctx.orders, ctx.messenger)
        self.commands |= {"again": self.again.command, "extend": self.extend.command}
        self.acts |= {EXTEND: self.extend.tap, JOIN: self.joining.tap}
        card = SettingsFeature(
            messenger=ctx.messenger,
            people=ctx.store.people,
            preferences=ctx.preferences,
            access=ctx.access,
            admins=ctx.admins,
            menu=ctx.menu,
            models=ctx.models,
            default_model=ctx.default_model,
        )
        forget = Forget(
            store=ctx.store,
            video_cache=ctx.video_cache,
            board=ctx.board,
            messenger=ctx.messenger,
            preferences=ctx.preferences,
            menu=ctx.menu,
            clock=ctx.clock,
            wake=ctx.wake,
        )
        self.commands |= {
            "settings": card.show,
            "privacy": Privacy(
                ctx.messenger, ctx.models, ctx.settings.keep_days, backups=ctx.settings.backups is not None
            ).privacy,
            "forget": forget.ask,
        }
        self.plain_acts |= {SET: card.tap, FORGET: forget.tap}
        details = Details(
            ctx.bot,
            ctx.store.tasks,
            ctx.models,
            ctx.settings.zone,
            ctx.repeats,
            price_labels=ctx.price_labels,
        )
        recipes = Share(
            bot=ctx.bot,
            tasks=ctx.store.tasks,
            recipes=ctx.store.people,
            reading=ctx.reading,
            orders=ctx.orders,
            messenger=ctx.messenger,
            models=ctx.models,
            default_model=ctx.default_model,
            clock=ctx.clock,
            repeats=ctx.repeats,
        )
        history = History(
            bot=ctx.bot,
            tasks=ctx.store.tasks,
            messenger=ctx.messenger,
            access=ctx.access,
            admins=ctx.admins,
            models=ctx.models,
            zone=ctx.settings.zone,
            clock=ctx.clock,
            wake=ctx.wake,
            repeats=ctx.repeats,
            price_labels=ctx.price_labels,
        )
        waiting = AdminWaiting(
            tasks=ctx.store.tasks,
            access=ctx.access,
            messenger=ctx.messenger,
            clock=ctx.clock,
        )
        queue = Queue(
            waiting=waiting,
            allowance=ctx.allowance,
            tasks=ctx.store.tasks,
            reposting=ctx.reposting,
            messenger=ctx.messenger,
            models=ctx.models,
            estimator=ctx.estimator,
            clock=ctx.clock,
            repeats=ctx.repeats,
        )
        cancelling = Cancel(
            tasks=ctx.store.tasks,
            board=ctx.board,
            messenger=ctx.messenger,
            admins=ctx.admins,
            models=ctx.models,
            clock=ctx.clock,
            wake=ctx.wake,
        )
        self.moves = Moves(
            store=ctx.store,
            cancelling=cancelling,
            access=ctx.access,
            permissions=ctx.permissions,
            access_requests=ctx.access_requests,
            purchase_guard=ctx.purchase_guard,
            board=ctx.board,
            models=ctx.models,
            price_labels=ctx.price_labels,
            clock=ctx.clock,
            wake=ctx.wake,
        )
        stats = Stats(
            statistics=ctx.store.statistics,
            access=ctx.access,
            messenger=ctx.messenger,
            price_labels=ctx.price_labels,
            zone=ctx.settings.zone,
            clock=ctx.clock,
        )
        self.commands |= {
            "stats": stats.tell,
            "history": history.tell,
            "queue": queue.tell,
            "cancel": cancelling.command,
            RECIPE: recipes.open,
        }
        self.acts |= {
            CANCEL: cancelling.tap,
            DETAILS: details.tell,
            SHARE: recipes.share,
            SHARE_PHOTO: recipes.share_photo,
            SHOW: history.show,
            BRING: queue.bring,
        }
        self.plain_acts |= {TURN: history.turn, FIRST: waiting.put_first}
        self.commands |= admin_commands(ctx)
        self.plain_acts |= pausing_acts(ctx)
