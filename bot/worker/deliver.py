"""Delivering: show the outcome on the card, once: the video, or why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from bot.codes import CRASHES, FailureCode
from bot.errors import (
    CallRefused,
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatError,
    ChatForbids,
    ChatGone,
    ChatMoved,
    FetchError,
    MediaError,
    ProviderError,
    Unavailable,
)
from bot.log import get_log
from bot.media.process import READINGS
from bot.media.provenance import Provenance
from bot.media.video_cache import Video
from bot.provider import Failed, Provider, Succeeded
from bot.request import VideoModel
from bot.task import Task, TaskState
from bot.worker import schedule
from bot.worker.deps import WorkerDeps
from bot.worker.provider_health import is_fetch_fault
from bot.worker.upload_slots import UploadSlots

_CALLS = "fetches"
_ENCODING_FAILED = "encoding_failed"
"""The answer of a "fetch" in the record of calls."""


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
        """Tell the chat why a task has no video for it."""
        if task.detached and task.state is TaskState.FAILED and task.counts_toward_quota:
            # Nobody waits for it, but the card must say if nothing was charged: so far it says otherwise.
            await self._journal.mark_delivered(task)
            return
        if task.film_id is not None:
            await self._close_shot(task)
            return
        try:
            await self._chat.tell(task)
        except CallRefused as error:
            self._log.warning("an outcome could not be delivered", task=task.id, reason=str(error))
            await self._journal.mark_delivered(task)
        except (CardGone, ChatForbids) as error:
            if task.detached:
                await self._journal.mark_delivered(task)
            else:
                await self._handle_chat_error(task, error)
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._journal.mark_delivered(task)

    async def _deliver(self, task: Task) -> None:
        if not self._journal.has_time(task, schedule.DELIVERY_LEASE_S):
            await self._journal.put_off(task)
            return
        task, fetching = await self._journal.holding(task, self._get(task))
        try:
            video = fetching.result()
        except (FetchError, MediaError, TimeoutError) as error:
            await self._handle_missing_video(task, error)
            return
        if task.detached:
            # Its card may still show progress: a crash or a refusal can lose the edit after the press.
            await self.tell(task)
        elif self._needs_encoding(video) and not await self._cannot_be_encoded(task):
            await self._encode(task, video)
        elif video.facts.bytes > self._max_bytes:
            await self._journal.finish(
                task.failed(FailureCode.TOO_LARGE, f"{video.facts.bytes} bytes", self._journal.now())
            )
        elif task.film_id is not None:
            self._video_cache.hold(task.id)
            await self._close_shot(task)
        elif not self._journal.has_time(task, schedule.UPLOAD_LIMIT_S):
            await self._journal.put_off(task)
        else:
            task, video = await self._stored(task, video)
            await (self._send if task.card.card_id is None else self._edit)(task, video)

    async def _stored(self, task: Task, video: Video) -> tuple[Task, Video]:
        """Return the video as it is in the storage chat, if there is one that takes it."""
        if self._deps.store_video is None or (task.card.card_id is None and task.sending_at is not None):
            return task, video
        slow = asyncio.get_running_loop().call_later(schedule.SLOW_FETCH_S, self._tell_slow, task)
        try:
            task, storing = await self._journal.holding(task, self._deps.store_video(video))
        finally:
            slow.cancel()
        return task, storing.result()

    def _needs_encoding(self, video: Video) -> bool:
        return video.facts.needs_encoding or video.facts.bytes > self._max_bytes

    async def _cannot_be_encoded(self, task: Task) -> bool:
        """Return True if that has been tried: what phones may not play is sent all the same."""
        answers = [one.answer for one in await self._journal.attempts(task) if one.call == "fetch"]
        return _ENCODING_FAILED in answers or sum(one in CRASHES for one in answers) >= READINGS

    async def _encode(self, task: Task, video: Video) -> None:
        """Convert a video that Telegram or phones do not take. The result is sent in the next step."""
        began = self._journal.now()
        provenance = provenance_of(task, self._deps.models)
        task, encoding = await self._journal.holding(
            task, self._video_cache.encode(task.id, self._max_bytes, provenance, schedule.ENCODE_LIMIT_S)
        )
        try:
            encoding.result()
        except MediaError as error:
            is_large = video.facts.bytes > self._max_bytes
            disk_full = error.code == FailureCode.DISK_FULL
            if disk_full:
                await self._deps.purchase_guard.disk_refused(error.detail)
            again = disk_full or (error.code == FailureCode.MEDIA_CRASHED and is_large)
            await self._journal.record(task, self._journal.attempt(task, "fetch", began, error))
            if not disk_full and not is_large:
                failed = FetchError(_ENCODING_FAILED, f"{error.code}: {error.detail}", again=False)
                await self._journal.record(task, self._journal.attempt(task, "fetch", began, failed))
                self._log.warning("a video is sent as it came", task=task.id, reason=failed.detail)
            elif not again or self._journal.is_over(task) or await self._has_crashed(task):
                detail = f"{video.facts.bytes} bytes, {error.code}: {error.detail}"
                await self._journal.finish(task.failed(FailureCode.TOO_LARGE, detail, self._journal.now()))
                return
            else:
                await self._journal.put_off(task)
                return
        await self._journal.retry_after(task, 0.0)

    async def _get(self, task: Task) -> Video:
        slow = asyncio.get_running_loop().call_later(schedule.SLOW_FETCH_S, self._tell_slow, task)
        try:
            return await self._video_cache.get(task.id) or await self._fetch(task)
        finally:
            slow.cancel()

    def _tell_slow(self, task: Task) -> None:
        if not task.detached and task.card.card_id is not None:
            self._chat.show(task)

    async def _handle_missing_video(self, task: Task, error: FetchError | MediaError | TimeoutError) -> None:
        """Try again later, or fail the task if the provider will not have a better answer."""
        match error:
            case FetchError():
                again, code, detail = error.again, error.code, error.detail
            case MediaError():
                again = await self._may_be_read_again(task, error)
                code, detail = FailureCode.NOT_A_VIDEO, f"{error.code}: {error.detail}"
            case TimeoutError():
                again, code, detail = True, FailureCode.FETCH_FAILED, "fetching took too long"
        if not isinstance(error, TimeoutError) and error.code == FailureCode.DISK_FULL:
            code, detail = FailureCode.FETCH_FAILED, f"{error.code}: {error.detail}"
        now = self._journal.now()
        if not again and _may_come_to_life(error) and schedule.is_link_young(task, now):
            again = not schedule.has_asked_long_enough(task, now)
        if again and not self._journal.is_over(task):
            self._tell_slow(task)
            await self._journal.put_off(task)
        else:
            await self._journal.finish(task.failed(code, detail, self._journal.now()))

    async def _may_be_read_again(self, task: Task, error: MediaError) -> bool:
        """Return True if the fault may be this machine's: a full disk, or the first crash or time-out."""
        if error.code not in CRASHES:
            return error.code == FailureCode.DISK_FULL
        return not await self._has_crashed(task)

    async def _has_crashed(self, task: Task) -> bool:
        return sum(one.answer in CRASHES for one in await self._journal.attempts(task)) >= READINGS

    async def _fetch(self, task: Task) -> Video:
        """Fetch the video into the cache. A young link is asked again, whatever it answers; then the provider
        is asked for another one."""
        provider = self._deps.providers.get(task.provider)
        model = self._deps.models.get(task.request.model)
        if provider is None or model is None or task.video_url is None or task.remote_id is None:
            # It may be configured again tomorrow.
            raise FetchError(FailureCode.FETCH_FAILED, "the provider is not set up", again=True)
        async with asyncio.timeout(schedule.FETCH_LIMIT_S):
            try:
                return await self._download(task, provider, task.video_url)
            except (FetchError, MediaError) as error:
                now = self._journal.now()
                is_early = schedule.is_link_young(task, now) and not schedule.has_asked_long_enough(task, now)
                if is_early or not _may_come_to_life(error):
                    raise
            link = await self._renew_link(task, provider, task.remote_id, model)
            return await self._download(task, provider, link)

    async def _download(self, task: Task, provider: Provider, link: str) -> Video:
        began = self._journal.now()
        try:
            video = await self._video_cache.put(
                task.id, provider.fetch, link, provenance_of(task, self._deps.models)
            )
        except (FetchError, MediaError) as error:
            await self._journal.record(task, self._journal.attempt(task, "fetch", began, error))
            await self._note_failure(task, error)
            raise
        await self._journal.record(task, self._journal.attempt(task, "fetch", began))
        self._deps.health.call_answered(_CALLS, task.provider)
        await self._deps.purchase_guard.disk_works()
        return video

    async def _note_failure(self, task: Task, error: FetchError | MediaError) -> None:
        """Note whose fault it is that a video cannot be had: this machine's, its provider's, or neither's."""
        health = self._deps.health
        if error.code == FailureCode.DISK_FULL:
            await self._deps.purchase_guard.disk_refused(error.detail)
        elif is_fetch_fault(error.code, is_link_young=schedule.is_link_young(task, self._journal.now())):
            health.call_failed(_CALLS, task.provider, error)
        if isinstance(error, FetchError) and error.fake_host:
            await health.host_is_fake(error.fake_host)

    async def _renew_link(self, task: Task, provider: Provider, remote_id: str, model: VideoModel) -> str:
        """Return another link to the same video. Raises FetchError if there is none."""
        began = self._journal.now()
        try:
            async with asyncio.timeout(schedule.POLL_LIMIT_S):
                status = await provider.poll(remote_id, model)
        except (ProviderError, TimeoutError) as reason:
            too_slow = Unavailable(FailureCode.UNREACHABLE, "too slow")
            error = reason if isinstance(reason, ProviderError) else too_slow
            await self._journal.record(task, self._journal.attempt(task, "poll", began, error))
            raise FetchError(FailureCode.LINK_EXPIRED, f"{error.code}: {error.detail}", again=True) from error
        attempt = self._journal.attempt(task, "poll", began)
        if isinstance(status, Succeeded):
            await self._journal.record(task, attempt)
            return status.video_url
        # The video was made: that there is none, or none yet, is doubted as long as a provider may be unwell.
        code = status.code if isinstance(status, Failed) else FailureCode.NOT_FOUND
        is_end = await self._journal.is_believed(task, attempt := replace(attempt, answer=code))
        await self._journal.record(task, attempt)
        raise FetchError(FailureCode.LINK_EXPIRED, again=not is_end)

    async def _edit(self, task: Task, video: Video) -> None:
        """Turn the card into the video; repeated until it is known to have worked."""
        try:
            task, sending = await self._upload(task, video, self._chat.deliver(task, video))
            file_id = sending.result()
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
            task, sending = await self._upload(task, video, self._chat.send(task, video))
            file_id = sending.result()
        except CallUnclear:
            await self._offer(task)
        except ChatError as error:
            # Refused, so nothing was shown: the intent is undone.
            await self._handle_chat_error(task.send_undone(), error)
        else:
            await self._finish(task, file_id)

    async def _close_shot(self, task: Task) -> None:
        """Close a shot of a film, whose card says what came of it. Its video is kept."""
        made = task.state is TaskState.SUCCEEDED
        await self._journal.mark_delivered(task.keep_undelivered() if made else task)
        self._chat.show(task)

    async def _offer(self, task: Task) -> None:
        try:
            await self._chat.offer(task)
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._journal.mark_delivered(task.keep_undelivered())

    async def _finish(self, task: Task, file_id: str) -> None:
        await self._journal.mark_delivered(task, file_id)
        self._video_cache.delivered(task.id)

    async def _upload(
        self, task: Task, video: Video, call: Coroutine[Any, Any, str]
    ) -> tuple[Task, asyncio.Task[str]]:
        return await self._journal.holding(task, _within(schedule.upload_limit_s(video.facts.bytes), call))

    async def _handle_chat_error(self, task: Task, error: ChatError) -> None:
        """Try again later, in another chat, or give up, as the error says."""
        match error:
            case ChatForbids():
                await self._redirect(task)
            case ChatGone():
                self._log.info("the chat is gone", task=task.id, reason=str(error))
                await self._journal.mark_delivered(task.keep_undelivered())
            case CardGone():
                await self._redirect(task)
            case ChatMoved(chat_id=chat_id):
                await self._journal.save(task.moved(chat_id, self._journal.now()))
                await self._journal.move_chat(task.card.chat_id, chat_id)
            case ChatBusy(retry_after_s=retry_after_s) if not self._gives_up(task):
                await self._journal.retry_after(task, retry_after_s)
            case CallRefused() if task.state is TaskState.SUCCEEDED:
                self._log.error("Telegram refuses the video", task=task.id, reason=str(error))
                await self._journal.finish(
                    task.failed(FailureCode.NOT_DELIVERED, str(error), self._journal.now())
                )
            case _ if self._gives_up(task):
                self._log.error("the chat cannot be told", task=task.id, reason=str(error))
                await self._journal.mark_delivered(task.keep_undelivered())
            case _:
                await self._journal.put_off(task)

    def _gives_up(self, task: Task) -> bool:
        return schedule.gives_up_telling(task, self._journal.now())

    async def _redirect(self, task: Task) -> None:
        """Show the outcome in another chat: the topic is gone, or videos are not allowed."""
        try:
            chat_id = await self._chat.redirect(task)
        except (ChatGone, CardGone, CallRefused) as error:
            self._log.info("there is no other chat either", task=task.id, reason=str(error))
            await self._journal.mark_delivered(task.keep_undelivered())
        except ChatError as error:
            await self._handle_chat_error(task, error)
        else:
            await self._journal.save(task.moved(chat_id, self._journal.now()))


def provenance_of(task: Task, models: Mapping[str, VideoModel]) -> Provenance:
    """Return what the mark in a task's video says."""
    model = models.get(task.request.model)
    is_drawn_here = model is not None and not model.company
    return Provenance(task.request.model, task.finished_at or task.created_at, is_trained=not is_drawn_here)


def _may_come_to_life(error: Exception) -> bool:
    """Return True unless the answer is about the video itself, or the link must not be opened."""
    match error:
        case FetchError():
            return error.code not in {
                FailureCode.LINK_REFUSED,
                FailureCode.TOO_LARGE,
                FailureCode.DISK_FULL,
            }
        case MediaError():
            return error.code == FailureCode.NOT_A_VIDEO and not error.values.get("is_final")
        case _:
            return False


async def _within(limit_s: float, call: Coroutine[Any, Any, str]) -> str:
    try:
        async with asyncio.timeout(limit_s):
            return await call
    except TimeoutError as error:
        raise CallUnclear("the upload took too long") from error
