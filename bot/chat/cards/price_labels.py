"""Price labels: what a video costs, in the words of a card. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bot.prices import NO_PRICES, Prices
from bot.request import VideoModel, VideoRequest
from bot.task import Task
from bot.text import plain, say_amount, say_money


@dataclass(frozen=True, slots=True)
class PriceLabels:
    """If no price is known, or the video is free, every text here is empty: no number is shown."""

    prices: Prices = NO_PRICES
    currency: str = ""
    models: Mapping[str, VideoModel] = field(default_factory=dict)

    def quote(self, request: VideoRequest) -> Decimal | None:
        """Return what the request would cost now; None if no price is set for it."""
        model = self.models.get(request.model)
        return None if model is None else self.prices.quote(request, model)

    def cost(self, language: str, request: VideoRequest) -> str:
        """Return the cost as HTML, such as `0.42 USD`."""
        return "" if self._is_free(request) else self.words(language, self.quote(request))

    def price(self, task: Task) -> str:
        """Return the price of a task as it was ordered, in the task's language."""
        return "" if self._is_free(task.request) else self.words(task.language, task.price)

    def words(self, language: str, amount: Decimal | None) -> str:
        return "" if amount is None else say_money(language, amount, self.currency)

    def label(self, text: str, language: str, request: VideoRequest) -> str:
        """Return a button's words with the cost behind them: `Again · 0.42 USD`. Not HTML."""
        cost = plain(self.cost(language, request))
        return f"{text} · {cost}" if cost else text

    def amounts(self, language: str, requests: Mapping[str, VideoRequest]) -> dict[str, str]:
        """Return the amount of each request if they differ, which helps to choose; else nothing."""
        quotes = {choice: self.quote(request) for choice, request in requests.items()}
        known = {choice: quote for choice, quote in quotes.items() if quote is not None}
        if len(set(known.values())) < 2:
            return {}
        return {choice: say_amount(language, quote) for choice, quote in known.items()}

    def _is_free(self, request: VideoRequest) -> bool:
        model = self.models.get(request.model)
        return model is not None and model.free


NO_PRICE_LABELS = PriceLabels()


def no_price_labels() -> PriceLabels:
    return NO_PRICE_LABELS
