"""The subjects of the chat: who answers each command, and who acts on each button."""

from __future__ import annotations

from bot.chat.cards.motion_suggestions import VERB as MOTION
from bot.chat.cards.photo_picker import VERB as WHICH
from bot.chat.cards.result_buttons import DETAILS, EXTEND, JOIN, SHARE
from bot.chat.command import Command
from bot.chat.context import Desk
from bot.chat.features.admin_actions import Moves
from bot.chat.features.admin_commands import admin_commands, pausing_acts
from bot.chat.features.admin_waiting import FIRST, Waiting
from bot.chat.features.again import Again
from bot.chat.features.cancel import CANCEL, Cancelling
from bot.chat.features.details import Details
from bot.chat.features.extend import Extend
from bot.chat.features.forget import VERB as FORGET
from bot.chat.features.forget import Forget
from bot.chat.features.help import Help
from bot.chat.features.history import SHOW, TURN, History
from bot.chat.features.join import Joining
from bot.chat.features.privacy import Privacy
from bot.chat.features.queue import BRING, Queue
from bot.chat.features.settings import VERB as SET
from bot.chat.features.settings import SettingsCard
from bot.chat.features.share import RECIPE, SHARE_PHOTO, Recipes
from bot.chat.features.stats import Stats
from bot.chat.handlers import Act, PlainAct
from bot.chat.ordering.photo_pairs import Pairs
from bot.chat.telegram_io.video_files import Videos


class Subjects:
    """`commands` by name, `acts` and `plain_acts` by verb."""

    def __init__(self, desk: Desk) -> None:
        helping = Help(
            bot=desk.bot,
            voice=desk.voice,
            access=desk.access,
            preferences=desk.preferences,
            models=desk.models,
            default_model=desk.default_model,
            forecast=desk.forecast,
            tariff=desk.tariff,
        )
        self.commands: dict[str, Command] = {"help": helping.help, "models": helping.models}
        self.acts: dict[str, Act] = {}
        self.plain_acts: dict[str, PlainAct] = {}
        self.pairs = Pairs(
            tasks=desk.store, reading=desk.reading, orders=desk.orders, screen=desk.screen, models=desk.models
        )
        self.acts |= {WHICH: self.pairs.choose, MOTION: self.pairs.move}
        videos = Videos(
            desk.bot,
            desk.settings.data_dir / "work",
            desk.clock,
            takes_bytes=desk.settings.download_max_bytes,
            gives_bytes=desk.settings.upload_max_bytes,
        )
        self.joining = Joining(desk.bot, videos, desk.voice, desk.clock)
        extend = Extend(
            bot=desk.bot,
            tasks=desk.store,
            reading=desk.reading,
            orders=desk.orders,
            access=desk.access,
            preferences=desk.preferences,
            photos=desk.photos,
            videos=videos,
            voice=desk.voice,
            models=desk.models,
            clock=desk.clock,
        )
        self.again = Again(desk.store, desk.reading, desk.orders, desk.voice)
        self.commands |= {"again": self.again.command, "extend": extend.command}
        self.acts |= {EXTEND: extend.tap, JOIN: self.joining.tap}
        card = SettingsCard(
            voice=desk.voice,
            people=desk.store,
            preferences=desk.preferences,
            access=desk.access,
            admins=desk.admins,
            menu=desk.menu,
            models=desk.models,
            default_model=desk.default_model,
        )
        forget = Forget(
            store=desk.store,
            shelf=desk.shelf,
            screen=desk.screen,
            voice=desk.voice,
            preferences=desk.preferences,
            menu=desk.menu,
            clock=desk.clock,
            wake=desk.wake,
        )
        self.commands |= {
            "settings": card.show,
            "privacy": Privacy(
                desk.voice, desk.models, desk.settings.keep_days, backups=desk.settings.backups is not None
            ).privacy,
            "forget": forget.ask,
        }
        self.plain_acts |= {SET: card.tap, FORGET: forget.tap}
        details = Details(
            desk.bot, desk.store, desk.models, desk.settings.zone, desk.repeats, tariff=desk.tariff
        )
        recipes = Recipes(
            bot=desk.bot,
            tasks=desk.store,
            recipes=desk.store,
            reading=desk.reading,
            orders=desk.orders,
            voice=desk.voice,
            models=desk.models,
            default_model=desk.default_model,
            clock=desk.clock,
            repeats=desk.repeats,
        )
        history = History(
            bot=desk.bot,
            tasks=desk.store,
            voice=desk.voice,
            access=desk.access,
            admins=desk.admins,
            models=desk.models,
            zone=desk.settings.zone,
            clock=desk.clock,
            wake=desk.wake,
            repeats=desk.repeats,
            tariff=desk.tariff,
        )
        waiting = Waiting(
            tasks=desk.store,
            access=desk.access,
            voice=desk.voice,
            clock=desk.clock,
        )
        queue = Queue(
            waiting=waiting,
            allowance=desk.allowance,
            tasks=desk.store,
            reposting=desk.reposting,
            voice=desk.voice,
            models=desk.models,
            forecast=desk.forecast,
            clock=desk.clock,
            repeats=desk.repeats,
        )
        cancelling = Cancelling(
            tasks=desk.store,
            screen=desk.screen,
            voice=desk.voice,
            admins=desk.admins,
            models=desk.models,
            clock=desk.clock,
            wake=desk.wake,
        )
        self.moves = Moves(
            store=desk.store,
            cancelling=cancelling,
            access=desk.access,
            standings=desk.standings,
            strangers=desk.strangers,
            brake=desk.brake,
            screen=desk.screen,
            models=desk.models,
            tariff=desk.tariff,
            clock=desk.clock,
            wake=desk.wake,
        )
        stats = Stats(
            statistics=desk.store,
            access=desk.access,
            voice=desk.voice,
            tariff=desk.tariff,
            zone=desk.settings.zone,
            clock=desk.clock,
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
        self.commands |= admin_commands(desk)
        self.plain_acts |= pausing_acts(desk)
