"""Why there is no video, in the project's words, read from whatever a seller passes on: one table for all."""

from __future__ import annotations

import re

from bot.providers.wire.jimeng import refusal_in

_CUT = 4000
"""A reason is searched this far: nothing that helps stands further on."""

# Ark's codes, as they stand or in a sentence: Input or Output, what of it, and how it was found.
_ARK = re.compile(
    r"\b(?P<side>input|output)\s?(?P<part>text|image|video|audio)\s?"
    r"(?:sensitive\s?content\s?detected|risk\s?detection|copyright\w*)"
    r"(?P<more>\.policy\s?violation|\.privacy\s?information)?"
)
_ARK_TEXT = re.compile(r"\bsensitive\s?content\s?detected\b")
_ARK_FAULT = re.compile(r"content\s?security\s?detection\s?error")
_ARK_PARTS = {
    ("input", "text"): "prompt_refused",
    ("input", "image"): "photo_refused",
    ("input", "video"): "input_refused",
    ("input", "audio"): "input_refused",
    ("output", "text"): "video_text_refused",
    ("output", "image"): "video_refused",
    ("output", "video"): "video_refused",
    ("output", "audio"): "audio_refused",
}
_PROTECTED = {
    "prompt_refused": "prompt_sensitive",
    "photo_refused": "photo_copyright",
    "video_refused": "video_copyright",
    "refused": "prompt_sensitive",
}
"""The word for a thing that is protected, in the place of one for a thing that was refused."""

_COPYRIGHT = re.compile(
    r"copyright|intellectual property|trademark|third[- ]party content|\bip (?:infring|input)"
    r"|版权|版權|侵权|侵權"
)
_MODERATED = re.compile(
    r"prohibited content|safety|blocklist|violat|\b(?:content|usage|use|community|our|the)\b.{0,20}\bpolic"
    r"|guidelines?\b|guardrail|responsible ai"
    r"|sensitive|moderat|unsafe|nsfw|inappropriate|support code|issue with the audio|celebrit|likeness"
    r"|real person|risk control|content filter|filtered|sexual|violen|prominent people|minor upload"
    r"|违规|違規|敏感|审核|審核|不合规|风控|违禁|違禁|涉政|涉黄|色情|暴力|社区规范|社群規範"
)
_REAL_PERSON = re.compile(r"real(?:istic)? (?:person|people|human|face)|privacy ?information|真人")
_FACE = re.compile(r"人脸|人臉")
"""Also of a photo in which no face was found."""
_PARTS = (
    ("input_refused", r"\binput ?(?:video|audio)"),
    ("video_text_refused", r"\boutput ?text"),
    (
        "photo_refused",
        r"\b(?:input|reference|upload(?:ed)?|source|your|provided|first|last|the) ?(?:frame )?"
        r"(?:images?|photos?|pictures?|frames?)\b|\binput ?(?:image|frame)|\bimage copyright"
        r"|\buploads? of images|privacy ?information|图片|圖片|图像|照片|首帧|尾帧|人脸",
    ),
    ("audio_refused", r"\baudio\b|\bsound\b|音频|音頻"),
    (
        "video_refused",
        r"\boutput(?:\b|video|image)|\bgenerated (?:videos?|content|result|images?)\b|\bresult(?:ing)?\b"
        r"|\bthe (?:finished )?video\b|\bvideo (?:content|contains|may|was|copyright)\b"
        r"|生成的?(?:视频|內容|内容|结果)|输出",
    ),
    ("prompt_refused", r"\bprompts?\b|\binput ?text\b|\binput moderation\b|\btext\b|提示词|提示詞|文本|文字"),
)
"""What a sentence names as refused; the prompt last, since it is named beside the others."""
_NAMED = tuple((word, re.compile(pattern)) for word, pattern in _PARTS)
_EITHER = re.compile(
    r"\bprompts? (?:or|and|and/or) (?:the )?(?:images?|photos?|pictures?)"
    r"|\b(?:images?|photos?|pictures?) (?:or|and|and/or) (?:the )?prompt"
)


def refused_in(text: str) -> str | None:
    """Return our word for what was refused for its content; None if the text does not speak of that."""
    known = named_refusal_in(text)
    if known:
        return known
    small = _small(text)
    protected = _COPYRIGHT.search(small) is not None
    person = _REAL_PERSON.search(small) is not None
    if not protected and not person and not _MODERATED.search(small) and not _FACE.search(small):
        return None
    word = _part_of(small)
    if person and word == "photo_refused":
        return "person_refused"
    return _PROTECTED.get(word, word) if protected else word


def named_refusal_in(text: str) -> str | None:
    """Return the same, but only by numbers, names and sentences that a document defines: those prove a
    refusal wherever they stand."""
    known = refusal_in(text[:_CUT])
    if known:
        return known
    small = _small(text)
    protected = _COPYRIGHT.search(small) is not None
    ark = _ARK.search(small)
    if ark:
        word = _ARK_PARTS[ark["side"], ark["part"]]
        more = ark["more"] or ""
        if word == "photo_refused" and "privacy" in more:
            return "person_refused"
        policy = ark["side"] == "output" and "policy" in more
        return _PROTECTED.get(word, word) if protected or policy else word
    if _ARK_FAULT.search(small):
        return "provider_fault"
    if _ARK_TEXT.search(small):
        return "prompt_sensitive" if protected else "prompt_refused"
    return None


def _part_of(small: str) -> str:
    if _EITHER.search(small):
        return "refused"
    return next((word for word, pattern in _NAMED if pattern.search(small)), "refused")


def _small(text: str) -> str:
    """Return a text in small letters and single words, if they were joined by underscores or by capitals."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text[:_CUT])
    return " ".join(apart.lower().split())
