"""Delivering: show the outcome on the card, once: the video, or why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from bot.errors import (
    CallRefused,
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatError,
    ChatGone,
    ChatMoved,
    FetchError,
    MediaError,
    ProviderError,
)
from bot.log import get_log
from bot.media.process import CRASHES, READINGS
from bot.media.video_cache import Video
from bot.provider import Provider, Succeeded
from bot.request import VideoModel
from bot.task import Task, TaskState
from bot.worker import schedule
from bot.worker.deps import WorkerDeps
from bot.worker.upload_slots import UploadSlots


class Deliverer:
    def __init__(self, deps: WorkerDeps) -> None:
        self._deps = deps
        self._journal = deps.journal
        self._chat = deps.chat
        self._video_cache = deps.video_cache
        self._max_bytes = deps.upload_max_bytes
        self._log = get_log(__name__)
        self._upload_slots = UploadSlots()

    async def deliver(self, task: Task) -> None:
        """Fetch the video of a succeeded task and show it."""
        async with self._upload_slots.acquire(task.id, schedule.UPLOAD_SLOT_LIMIT_S) as acquired:
            if acquired:
                await self._deliver(task)
            else:
                # Many that wait here would leave the worker no room for polls and submits.
                await self._journal.retry_after(task, 1.0)

    async def tell(self, task: Task) -> None:
        """Tell the chat why a failed or cancelled task has no video."""
        if task.detached and task.state is TaskState.FAILED and task.counts_toward_quota:
            # Nobody waits for it. That nothing was charged is told all the same: the card says otherwise.
            await self._journal.mark_delivered(task)
            return
        try:
            await self._chat.tell(task)
        except CallRefused as error:
            self._log.warning("an outcome could not be told", task=task.id, reason=str(error))
            await self._journal.mark_delivered(task)
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._journal.mark_delivered(task)

    async def _deliver(self, task: Task) -> None:
        if not self._journal.has_time(task, schedule.FETCH_LIMIT_S + schedule.UPLOAD_LIMIT_S):
            await self._journal.put_off(task)
            return
        try:
            video = await self._video_cache.get(task.id) or await self._fetch(task)
        except (FetchError, MediaError, TimeoutError) as error:
            await self._handle_missing_video(task, error)
            return
        if task.detached:
            await self._journal.mark_delivered(task)
        elif video.facts.bytes > self._max_bytes:
            await self._shrink(task, video)
        elif not self._journal.has_time(task, schedule.UPLOAD_LIMIT_S):
            await self._journal.put_off(task)
        elif task.card_id is None:
            await self._send(task, video)
        else:
            await self._edit(task, video)

    async def _shrink(self, task: Task, video: Video) -> None:
        """Make a video smaller that is too large for Telegram. The next step sends it."""
        if not self._journal.has_time(task, schedule.SHRINK_LIMIT_S):
            await self._journal.retry_after(task, 0.0)
            return
        began = self._journal.now()
        try:
            async with asyncio.timeout(schedule.SHRINK_LIMIT_S):
                await self._video_cache.shrink(task.id, self._max_bytes)
        except TimeoutError:
            # Other work kept the processors busy all the time.
            await self._journal.put_off(task)
        except MediaError as error:
            await self._journal.record(task, self._journal.attempt(task, "fetch", began, error))
            again = error.code != "media_timeout" and await self._may_be_read_again(task, error)
            if again and not self._journal.is_over(task):
                await self._journal.put_off(task)
                return
            detail = f"{video.facts.bytes} bytes, {error.code}: {error.detail}"
            await self._journal.finish(task.failed("too_large", detail, self._journal.now()))
        else:
            await self._journal.retry_after(task, 0.0)

    async def _handle_missing_video(self, task: Task, error: FetchError | MediaError | TimeoutError) -> None:
        """Try again later, or fail the task if the provider will not have a better answer."""
        match error:
            case FetchError():
                again, code, detail = error.again, error.code, error.detail
            case MediaError():
                again = await self._may_be_read_again(task, error)
                code = "fetch_failed" if error.code == "disk_full" else "not_a_video"
                detail = f"{error.code}: {error.detail}"
            case TimeoutError():
                again, code, detail = True, "fetch_failed", "fetching took too long"
        if again and not self._journal.is_over(task):
            await self._journal.put_off(task)
        else:
            await self._journal.finish(task.failed(code, detail, self._journal.now()))

    async def _may_be_read_again(self, task: Task, error: MediaError) -> bool:
        """Return True if the fault may be this machine's: a full disk, or the first crash or time-out."""
        if error.code not in CRASHES:
            return error.code == "disk_full"
        return sum(one.answer in CRASHES for one in await self._journal.attempts(task)) < READINGS

    async def _fetch(self, task: Task) -> Video:
        """Fetch the video into the cache. A link that expired early is renewed once."""
        provider = self._deps.providers.get(task.provider)
        model = self._deps.models.get(task.request.model)
        if provider is None or model is None or task.video_url is None or task.remote_id is None:
            # It may be configured again tomorrow.
            raise FetchError("fetch_failed", "the provider is not set up", again=True)
        async with asyncio.timeout(schedule.FETCH_LIMIT_S):
            try:
                return await self._download(task, provider, task.video_url)
            except FetchError as error:
                if error.again or error.code != "link_expired":
                    raise
            link = await self._renew_link(task, provider, task.remote_id, model)
            return await self._download(task, provider, link)

    async def _download(self, task: Task, provider: Provider, link: str) -> Video:
        began = self._journal.now()
        try:
            video = await self._video_cache.put(task.id, provider.fetch, link)
        except (FetchError, MediaError) as error:
            await self._journal.record(task, self._journal.attempt(task, "fetch", began, error))
            raise
        await self._journal.record(task, self._journal.attempt(task, "fetch", began))
        return video

    async def _renew_link(self, task: Task, provider: Provider, remote_id: str, model: VideoModel) -> str:
        """Return another link to the same video. Raises FetchError if there is none."""
        began = self._journal.now()
        try:
            status = await provider.poll(remote_id, model)
        except ProviderError as error:
            await self._journal.record(task, self._journal.attempt(task, "poll", began, error))
            raise FetchError("link_expired", f"{error.code}: {error.detail}", again=True) from error
        await self._journal.record(task, self._journal.attempt(task, "poll", began))
        if not isinstance(status, Succeeded):
            raise FetchError("link_expired", again=False)
        return status.video_url

    async def _edit(self, task: Task, video: Video) -> None:
        """Turn the card into the video; repeated until it is known to have worked."""
        try:
            file_id = await self._upload(self._chat.deliver(task, video))
        except (CardGone, CallRefused) as error:
            self._log.warning("the card cannot become the video", task=task.id, reason=str(error))
            await self._journal.save(task.card_lost(self._journal.now()))
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._finish(task, file_id)

    async def _send(self, task: Task, video: Video) -> None:
        """Send a new message, once, because there is no card. Its intent is saved first.

        If it may or may not have arrived, the person is asked.
        """
        if task.sending_at is not None:
            await self._offer(task)
            return
        task = await self._journal.save_keeping_lease(task.sending(self._journal.now()))
        try:
            file_id = await self._upload(self._chat.send(task, video))
        except CallUnclear:
            await self._offer(task)
        except ChatError as error:
            # Refused: nothing was shown, so the intent is undone.
            await self._handle_chat_error(task.send_undone(), error)
        else:
            await self._finish(task, file_id)

    async def _offer(self, task: Task) -> None:
        try:
            await self._chat.offer(task)
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._journal.mark_delivered(task.keep_undelivered())

    async def _finish(self, task: Task, file_id: str) -> None:
        await self._journal.mark_delivered(task, file_id)
        self._video_cache.discard(task.id)

    async def _upload(self, call: Awaitable[str]) -> str:
        try:
            async with asyncio.timeout(schedule.UPLOAD_LIMIT_S):
                return await call
        except TimeoutError as error:
            raise CallUnclear("the upload took too long") from error

    async def _handle_chat_error(self, task: Task, error: ChatError) -> None:
        """Try again later, in another chat, or give up, as the error says."""
        match error:
            case ChatGone():
                self._log.info("the chat is gone", task=task.id, reason=str(error))
                await self._journal.mark_delivered(task.keep_undelivered())
            case CardGone():
                await self._redirect(task)
            case ChatMoved(chat_id=chat_id):
                await self._journal.save(task.moved(chat_id, self._journal.now()))
                await self._journal.move_chat(task.chat_id, chat_id)
            case ChatBusy(retry_after_s=retry_after_s) if not self._gives_up(task):
                await self._journal.retry_after(task, retry_after_s)
            case CallRefused() if task.state is TaskState.SUCCEEDED:
                self._log.error("Telegram refuses the video", task=task.id, reason=str(error))
                await self._journal.finish(task.failed("not_delivered", str(error), self._journal.now()))
            case _ if self._gives_up(task):
                self._log.error("the chat cannot be told", task=task.id, reason=str(error))
                await self._journal.mark_delivered(task.keep_undelivered())
            case _:
                await self._journal.put_off(task)

    def _gives_up(self, task: Task) -> bool:
        return schedule.gives_up_telling(task, self._journal.now())

    async def _redirect(self, task: Task) -> None:
        """Show the outcome in another chat, because the topic of this one was closed or deleted."""
        try:
            chat_id = await self._chat.redirect(task)
        except (ChatGone, CardGone, CallRefused) as error:
            self._log.info("nor is there another chat", task=task.id, reason=str(error))
            await self._journal.mark_delivered(task.keep_undelivered())
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._journal.save(task.moved(chat_id, self._journal.now()))
