"""Render HTML from the templates beside this file; all foreign values are escaped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.store.statistics import outcome_of
from bot.web.admin import charts, labels
from bot.web.admin.context import AdminContext


class Renderer:
    def __init__(self, sources: AdminContext) -> None:
        self._clock = sources.clock
        zone, models = sources.zone, sources.models
        self._templates = Environment(
            loader=PackageLoader("bot.web.admin"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

        def moment(at: datetime) -> Markup:
            """Return how long ago, with the exact time as a title."""
            return Markup('<time datetime="{}" title="{}">{}</time>').format(
                at.isoformat(), labels.day_time(at, zone), labels.ago(at, self._clock())
            )

        self._templates.filters |= {
            "moment": moment,
            "clock_time": lambda at: labels.day_time(at, zone),
            "duration": labels.duration,
            "charged": lambda task: labels.charged_price(task, sources.currency),
            "model_title": lambda name: models[name].title if name in models else name,
            "money": lambda amount: labels.money(amount, sources.currency),
            "state": labels.state_words,
            "outcome": outcome_of,
            "code": labels.code_words,
            "person": labels.person,
            "place": labels.place,
            "facts": lambda task: labels.facts(task, models),
            "did": labels.did,
            "redacted": sources.redact,
        }
        self._templates.globals |= {
            "between": labels.between,
            "lying": charts.lying,
            "Segment": charts.Segment,
            "OUTCOMES": labels.OUTCOMES,
            "zone": str(zone),
        }

    def page(self, template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
        now = self._clock()
        defaults = {"here": "", "logout_csrf_token": "", "now": now, "names": {}}
        text = self._templates.get_template(template).render({**defaults, **values})
        return web.Response(text=text, content_type="text/html", status=status)
