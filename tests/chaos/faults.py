"""What goes wrong: a share of all calls to the provider and to Telegram, each in a way that is drawn."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from provider_accounts import account_of
from provider_server import Fault as ProviderFault
from provider_server import Kind, ProviderServer, Received, Reply, failure

from bot.sandbox import Fault, FaultKind, Json, SandboxServer

_PAGE = "<html><body><h1>Bad Gateway</h1></body></html>"
_BUSY = failure(50430, "Request Has Reached API Concurrent Limit, Please Try Later", 429)
_SLOW_DOWN = Reply(429, "slow down", {"Retry-After": "1"})

_BROKEN: tuple[Reply | ProviderFault, ...] = (
    *(ProviderFault.CUT, ProviderFault.RESET, ProviderFault.HANG),
    *(ProviderFault.LOST, ProviderFault.HALF, ProviderFault.SILENT),
    *(Reply(502, _PAGE), Reply(503, _PAGE), Reply(500, b"")),
)
AT_THE_PROVIDER: dict[Kind, tuple[Reply | ProviderFault, ...]] = {
    "submit": (*_BROKEN, _BUSY, _BUSY, _SLOW_DOWN),
    "poll": (
        *_BROKEN,
        _SLOW_DOWN,
        Reply(200, _PAGE),
        Reply(200, b"[]"),
        failure(50500, "Internal Error", 500),
    ),
    "video": (
        *(ProviderFault.CUT, ProviderFault.RESET, ProviderFault.HANG, ProviderFault.HALF),
        *(Reply(502, _PAGE), Reply(503, _PAGE), Reply(429, "slow down")),
    ),
}
"""Nothing of this is a verdict on a job. A page in place of an order's answer may hide one that was taken."""

_UNANSWERED = (FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR, FaultKind.SERVER_ERROR_AFTER)
_OF_A_MESSAGE = (*_UNANSWERED, FaultKind.FLOOD, FaultKind.SLOW)
AT_TELEGRAM: dict[str, tuple[FaultKind, ...]] = {
    "getUpdates": _UNANSWERED,
    "sendMessage": _OF_A_MESSAGE,
    "editMessageText": (*_OF_A_MESSAGE, FaultKind.BAD_REQUEST),
    "editMessageMedia": (*_OF_A_MESSAGE, FaultKind.BAD_REQUEST),
    "sendVideo": _OF_A_MESSAGE,
    "sendChatAction": _UNANSWERED,
    "getFile": _UNANSWERED,
}
_SHARES = {"getUpdates": 1 / 3, "sendVideo": 4.0}
_DOUBTFUL = frozenset({FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER, FaultKind.SLOW})


class Trouble:
    """Orders faults at both servers, for `share` of the calls of each kind, until `end`.

    `slow_s` is how long Telegram keeps an answer back. `lost_cards`, `refused_edits` and `doubtful_sends`
    become what `Audit` must know: whose card did not take the video, or another text, and whose first message
    was sent without an answer.
    """

    def __init__(self, rng: random.Random, share: float, slow_s: float, requests: Sequence[str]) -> None:
        self._rng = rng
        self._share = share
        self._slow_s = slow_s
        self._requests = requests
        self.lost_cards: set[str] = set()
        self.refused_edits: set[str] = set()
        self.doubtful_sends: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        self._over = False

    def at_telegram(self, server: SandboxServer) -> None:
        for method, kinds in AT_TELEGRAM.items():
            # Polling pauses for longer and longer when it fails: too much of that, and nothing else happens.
            # Few videos are sent as new messages: without more of that, none would be offered again.
            share = self._share * _SHARES.get(method, 1.0)
            for kind in kinds:
                server.faults.add(
                    Fault(
                        method,
                        kind,
                        times=None,
                        when=self._sometimes(method, kind, share / len(kinds)),
                        delay_s=self._slow_s,
                    )
                )

    def at_the_provider(self, kind: Kind, received: Received) -> Reply | ProviderFault | None:
        """For `ProviderServer.interfere`."""
        if self._over or self._rng.random() >= self._share:
            return None
        chosen = self._rng.choice(AT_THE_PROVIDER[kind])
        if chosen in (_BUSY, _SLOW_DOWN) and account_of(received.path):
            # Where few jobs run, those of unknown end would hold all the slots that such a refusal leaves.
            return None
        name = chosen.name if isinstance(chosen, ProviderFault) else f"HTTP {chosen.status}"
        self.counted[f"{kind}: {name}"] += 1
        return chosen

    def end(self, server: SandboxServer, provider: ProviderServer) -> None:
        self._over = True
        server.faults.clear()
        provider.interfere = lambda _kind, _received: None

    def _sometimes(self, method: str, kind: FaultKind, share: float) -> Callable[[Json], bool]:
        def happens(params: Json) -> bool:
            if self._rng.random() >= share:
                return False
            self.counted[f"{method}: {kind.value}"] += 1
            said = str(params)
            for prompt in self._requests:
                if prompt in said:
                    self._remember(method, kind, prompt)
            return True

        return happens

    def _remember(self, method: str, kind: FaultKind, prompt: str) -> None:
        if method == "editMessageMedia" and kind is FaultKind.BAD_REQUEST:
            self.lost_cards.add(prompt)
        if method == "editMessageText" and kind is FaultKind.BAD_REQUEST:
            self.refused_edits.add(prompt)
        if method == "sendMessage" and kind in _DOUBTFUL:
            self.doubtful_sends[prompt] += 1
