"""Files: uploads go to disk in pieces, come back whole, and say of themselves what Telegram would say."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import aiohttp
import av
import pytest
import telegram
from sandbox_client import Sandbox, jpeg, png, running_sandbox
from telegram import InputFile, InputMediaPhoto, InputMediaVideo

from bot.sandbox.files import MB
from bot.sandbox.probe import Probe, probe


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


def _mp4(path: Path, *, sound: bool) -> bytes:
    """A second of 64 by 48 pixels, with or without a sound track."""
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=5)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", rate=44100) if sound else None
        for number in range(5):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            silence = av.AudioFrame(format="fltp", layout="stereo", samples=44032)
            silence.sample_rate = 44100
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(audio.encode(silence))
            container.mux(audio.encode(None))
    return path.read_bytes()


async def _raw_send(sandbox: Sandbox, method: str, form: aiohttp.FormData) -> tuple[int, str]:
    url = f"{sandbox.server.url}/bot{sandbox.server.token}/{method}"
    async with sandbox.http.post(url, data=form) as answer:
        return answer.status, (await answer.json())["description"]


async def test_a_video_of_45_mb_streams_through_in_a_few_mb_of_memory(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(45 * MB)
    card = await sandbox.bot.send_message(sandbox.private.id, "working")
    tracemalloc.start()
    with path.open("rb") as first, path.open("rb") as second:
        sent = await sandbox.bot.send_video(
            sandbox.private.id,
            _streamed(first),
            width=640,
            height=360,
            duration=5,
            write_timeout=60,
            read_timeout=60,
        )
        media = InputMediaVideo(_streamed(second, attach=True), width=640, height=360, duration=5)
        edited = await sandbox.bot.edit_message_media(
            media, sandbox.private.id, card.message_id, write_timeout=60, read_timeout=60
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(edited, telegram.Message)
    for message in (sent, edited):
        assert message.video is not None
        assert message.video.file_size == 45 * MB
        assert (message.video.width, message.video.height) == (640, 360)
    assert peak < 10 * MB
    assert [*sandbox.server.calls[-1].uploads.values()] == [45 * MB]


def _streamed(file: BinaryIO, *, attach: bool = False) -> InputFile:
    return InputFile(file, filename="large.mp4", attach=attach, read_file_handle=False)


async def test_a_file_over_50_mb_is_too_large_in_either_api(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.truncate(50 * MB + 1)
    form = aiohttp.FormData({"chat_id": str(sandbox.private.id)})
    with path.open("rb") as file:
        form.add_field("video", file, filename="huge.mp4")
        assert await _raw_send(sandbox, "sendVideo", form) == (413, "Request Entity Too Large")
    with (
        path.open("rb") as file,
        pytest.raises(telegram.error.NetworkError, match=r"(?i)request entity too large"),
    ):
        await sandbox.bot.send_video(sandbox.private.id, _streamed(file), write_timeout=60)
    assert sandbox.world.bot_messages(sandbox.private) == []


async def test_a_video_goes_out_with_its_thumbnail_and_caption(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_video(
        sandbox.private.id,
        b"video",
        filename="boat.mp4",
        caption="<i>a boat</i>",
        parse_mode="HTML",
        width=640,
        height=360,
        duration=5,
        thumbnail=jpeg(320, 180),
        supports_streaming=True,
        has_spoiler=True,
        show_caption_above_media=True,
    )
    assert sent.video is not None
    assert sent.video.thumbnail is not None
    assert (sent.video.file_name, sent.video.mime_type) == ("boat.mp4", "video/mp4")
    assert (sent.video.thumbnail.width, sent.video.thumbnail.height) == (320, 180)
    assert (sent.caption_html, sent.has_media_spoiler) == ("<i>a boat</i>", True)
    assert sent.show_caption_above_media is True
    edited = await sandbox.bot.edit_message_media(
        InputMediaVideo(b"other", width=9, height=16, duration=2, thumbnail=jpeg(90, 160)),
        sandbox.private.id,
        sent.message_id,
    )
    assert isinstance(edited, telegram.Message)
    assert edited.video is not None
    assert edited.video.thumbnail is not None
    assert (edited.video.height, edited.video.thumbnail.height, edited.caption) == (16, 160, None)
    assert sandbox.world.complaints == []


@pytest.mark.parametrize("thumbnail", [jpeg(321, 10), jpeg(320, 320, padding=200_000)])
async def test_a_thumbnail_telegram_would_drop_is_a_loud_error(sandbox: Sandbox, thumbnail: bytes) -> None:
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)a thumbnail is at most 200 kB and 320 pixels"):
        await sandbox.bot.send_video(sandbox.private.id, b"video", thumbnail=thumbnail)
    assert len(sandbox.world.complaints) == 1


async def test_a_file_id_sends_the_same_file_again(sandbox: Sandbox) -> None:
    video = (await sandbox.bot.send_video(sandbox.private.id, b"video", width=4, height=3)).video
    photo = (await sandbox.bot.send_photo(sandbox.private.id, jpeg(800, 600))).photo[0]
    assert video is not None
    again = await sandbox.bot.send_video(sandbox.private.id, video.file_id)
    assert again.video == video
    assert (await sandbox.bot.send_photo(sandbox.private.id, photo.file_id)).photo[-1].width == 800
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)can't use file of type Video as Photo"):
        await sandbox.bot.send_photo(sandbox.private.id, video.file_id)


@pytest.mark.parametrize(
    ("media", "problem"),
    [
        ("BAACAgIAAxnothing", "wrong file identifier/HTTP URL specified"),
        ("https://example.org/boat.mp4", "failed to get HTTP URL content"),
        ("attach://nowhere", "there is no video in the request"),
        ("", "there is no video in the request"),
    ],
)
async def test_a_video_that_is_not_there_is_refused(sandbox: Sandbox, media: str, problem: str) -> None:
    answer = await sandbox.call("sendVideo", chat_id=sandbox.private.id, video=media)
    assert answer["description"] == f"Bad Request: {problem}"


async def test_media_that_was_not_attached_is_refused(sandbox: Sandbox) -> None:
    card = await sandbox.bot.send_message(sandbox.private.id, "working")
    place = {"chat_id": sandbox.private.id, "message_id": card.message_id}
    answer = await sandbox.call("editMessageMedia", **place, media={"type": "video", "media": "attach://v"})
    assert answer["description"] == "Bad Request: can't parse InputMedia: media not found"
    # What python-telegram-bot sends when `attach=True` is forgotten: the file, and nothing that names it.
    forgotten = InputMediaVideo(InputFile(io.BytesIO(b"video"), filename="v.mp4", read_file_handle=False))
    with pytest.raises(telegram.error.BadRequest, match='parameter "media" is missing'):
        await sandbox.bot.edit_message_media(forgotten, sandbox.private.id, card.message_id)
    assert len(sandbox.world.complaints) == 1
    assert sandbox.world.bot_messages(sandbox.private)[0]["text"] == "working"


async def test_an_upload_that_nothing_refers_to_is_a_loud_error(sandbox: Sandbox) -> None:
    form = aiohttp.FormData({"chat_id": str(sandbox.private.id), "video": "attach://a"})
    form.add_field("a", b"video", filename="a.mp4")
    form.add_field("b", b"stray", filename="b.mp4")
    problem = "sendVideo: nothing refers to the uploaded b"
    assert await _raw_send(sandbox, "sendVideo", form) == (400, f"Bad Request: {problem}")
    assert sandbox.world.complaints == [problem]


async def test_an_empty_file_is_refused(sandbox: Sandbox) -> None:
    form = aiohttp.FormData({"chat_id": str(sandbox.private.id)})
    form.add_field("video", b"", filename="a.mp4")
    assert await _raw_send(sandbox, "sendVideo", form) == (400, "Bad Request: file must be non-empty")


async def test_photos_have_limits_of_their_own(sandbox: Sandbox) -> None:
    with pytest.raises(
        telegram.error.BadRequest, match=r"is too big for a photo; the maximum size is 10485760"
    ):
        await sandbox.bot.send_photo(sandbox.private.id, jpeg(800, 600, padding=10 * MB))
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)photo_invalid_dimensions"):
        await sandbox.bot.send_photo(sandbox.private.id, jpeg(2100, 100))
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)image_process_failed"):
        await sandbox.bot.send_photo(sandbox.private.id, b"no picture at all")


async def test_what_a_person_sends_can_be_fetched_up_to_20_mb(sandbox: Sandbox) -> None:
    data = jpeg(4000, 3000, padding=1000)
    sandbox.world.send_photo(sandbox.ada, sandbox.private, data, caption="/video pan")
    sandbox.world.send_photo(sandbox.ada, sandbox.private, data, as_document=True, name="boat.jpg")
    sandbox.world.send_video(
        sandbox.ada, sandbox.private, bytes(20 * MB + 1), width=64, height=48, duration_s=3
    )
    photo, document, video = [
        telegram.Message.de_json(message, sandbox.bot) for message in await sandbox.messages()
    ]
    assert [(size.width, size.height) for size in photo.photo] == [(320, 240), (1280, 960)]
    assert photo.photo[0].file_unique_id != photo.photo[1].file_unique_id
    assert photo.caption == "/video pan"
    file = await photo.photo[-1].get_file()
    assert file.file_size == len(data)
    assert bytes(await file.download_as_bytearray()) == data
    assert document.document is not None
    assert (document.document.file_name, document.document.mime_type) == ("boat.jpg", "image/jpeg")
    assert video.video is not None
    assert (video.video.width, video.video.height, video.video.mime_type) == (64, 48, "video/mp4")
    with pytest.raises(telegram.error.BadRequest, match=r"File is too big"):
        await video.video.get_file()
    with pytest.raises(telegram.error.BadRequest, match="Invalid file_id"):
        await sandbox.bot.get_file("nonsense")


async def test_an_album_is_a_message_for_each_photo(sandbox: Sandbox) -> None:
    sandbox.world.send_album(
        sandbox.ada, sandbox.private, [jpeg(9, 9), jpeg(8, 8)], caption="from here to there"
    )
    first, second = await sandbox.messages()
    assert first["media_group_id"] == second["media_group_id"]
    assert (first["caption"], "caption" in second) == ("from here to there", False)


async def test_the_bot_sends_albums_too(sandbox: Sandbox) -> None:
    media: list[InputMediaPhoto | InputMediaVideo] = [
        InputMediaPhoto(jpeg(90, 90), caption="two"),
        InputMediaVideo(b"video", width=4, height=3),
    ]
    first, second = await sandbox.bot.send_media_group(sandbox.private.id, media)
    assert (first.caption, second.video is not None) == ("two", True)
    assert first.media_group_id == second.media_group_id
    with pytest.raises(telegram.error.BadRequest, match=r"2 to 10"):
        await sandbox.bot.send_media_group(sandbox.private.id, media[:1])


async def test_a_clip_without_sound_arrives_as_a_gif(sandbox: Sandbox, tmp_path: Path) -> None:
    silent = await sandbox.bot.send_video(sandbox.private.id, _mp4(tmp_path / "silent.mp4", sound=False))
    assert silent.video is None
    assert silent.animation is not None
    assert silent.document is not None
    loud = await sandbox.bot.send_video(sandbox.private.id, _mp4(tmp_path / "loud.mp4", sound=True))
    assert loud.video is not None
    assert (loud.video.width, loud.video.height) == (64, 48)


def test_a_header_tells_kind_size_length_and_sound(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def seen(data: bytes) -> Probe:
        path.write_bytes(data)
        return probe(path)

    assert seen(jpeg(640, 480)) == Probe("image/jpeg", 640, 480)
    assert seen(png(64, 48)) == Probe("image/png", 64, 48)
    assert seen(b"\xff\xd8\xff") == Probe()
    assert seen(b"words") == Probe()
    assert seen(b"") == Probe()
    loud = _mp4(tmp_path / "loud.mp4", sound=True)
    assert seen(loud) == Probe("video/mp4", 64, 48, 1, True)
    assert seen(loud[: len(loud) // 2]).mime == "video/mp4"
    assert seen(_mp4(tmp_path / "silent.mp4", sound=False)) == Probe("video/mp4", 64, 48, 1, False)
