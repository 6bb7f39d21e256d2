"""Objections: the answer to a request that cannot work."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.cards.problem_reply import problem_reply
from bot.chat.context import ChatContext
from bot.chat.parsing.message_intent import SentPhoto
from bot.chat.sender import Sender
from bot.request import Problem, VideoRequest


async def object_to(
    ctx: ChatContext,
    sender: Sender,
    request: VideoRequest,
    problems: Sequence[Problem],
    photo: SentPhoto | None,
) -> None:
    """Say why the request cannot work; if only the model is in the way, with buttons for others that can."""
    problem = problems[0]
    misread = problem.code.startswith(("unknown_flag", "flag_"))
    unusable = await ctx.unusable_models()
    others = [] if misread else ctx.request_builder.others(request, photo)
    names = [name for name in others if name not in unusable]
    if names:
        await ctx.drafts.offer(sender, request, problem, names)
        return
    if problem.code == "flag_needs_value" and problem.values["flag"] == "model":
        # The parser does not know which models are set up here.
        problem = Problem(problem.code, problem.values | {"example": f"--model {request.model}"})
    await ctx.messenger.reply(sender, problem_reply(sender.language, problem))
