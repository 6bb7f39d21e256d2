"""Shows in the chat at once what an admin did in the chat or on the operator's page."""

from __future__ import annotations

from bot.admin.actions import ActionListener
from bot.chat.deps import ChatDeps
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.task_cards.board import CardBoard
from bot.task import Task


class ChatActionListener(ActionListener):
    def __init__(self, deps: ChatDeps, board: CardBoard, access_requests: AccessRequests) -> None:
        self._deps = deps
        self._board = board
        self._access_requests = access_requests

    def changed(self, task: Task) -> None:
        self._board.show(task)
        self._deps.wake()

    async def pauses_changed(self) -> None:
        await self._deps.purchase_guard.refresh()

    async def admitted(self, subject: int) -> None:
        await self._access_requests.welcome(subject)
