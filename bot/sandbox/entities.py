"""Convert HTML to plain text and entities, with offsets in UTF-16 units as Telegram counts them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from bot.sandbox.answer import Json, bad_request

_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "span": "spoiler",
}
_NO_TYPE_INSIDE = ("code", "pre", "text_link")

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[^\s<>/]*)(?P<attributes>[^<>]*)(?P<end>>?)")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
# Telegram knows these four names; others stay as they are.
_CHARACTER = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
# What Telegram detects in any text by itself.
_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?)\]])"
    r"|(?<![\w/@<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/<>])"
    r"|(?<![\w/@])(?P<mention>@[A-Za-z0-9_]{3,32})(?!\w)",
)


@dataclass(frozen=True)
class FormattedText:
    text: str
    entities: list[Json]


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def formatted(
    text: str, *, parse_mode: str | None = None, entities: list[Json] | None = None
) -> FormattedText:
    """Return what a message shows: markup read, spaces at both ends cut, links, mentions and commands marked.

    Raises ApiError with Telegram's text for broken markup.
    """
    if parse_mode:
        if parse_mode.upper() != "HTML":
            raise bad_request(f"unsupported parse_mode (the sandbox reads HTML only, not {parse_mode})")
        read = parse_html(text)
    else:
        read = FormattedText(text, [dict(entity) for entity in entities or []])
    read = _trimmed(read)
    taken = [entity for entity in read.entities if entity["type"] in _NO_TYPE_INSIDE]
    detected = [found for found in detect(read.text) if not any(_overlap(found, entity) for entity in taken)]
    both = sorted([*read.entities, *detected], key=lambda entity: (entity["offset"], -entity["length"]))
    return FormattedText(read.text, both)


def detect(text: str) -> list[Json]:
    """Return the links, mentions and bot commands that Telegram detects in a text by itself."""
    return [
        {
            "type": match.lastgroup,
            "offset": utf16_length(text[: match.start()]),
            "length": utf16_length(match.group()),
        }
        for match in _DETECTED.finditer(text)
    ]


def parse_html(source: str) -> FormattedText:
    """Parse Telegram's HTML strictly: an unknown or unbalanced tag is an error with its byte offset."""
    text = ""
    entities: list[Json] = []
    open_tags: list[_OpenTag] = []
    at = 0
    for match in _TAG.finditer(source):
        text += _unescape(source[at : match.start()])
        at = match.end()
        byte = len(source[: match.start()].encode())
        name = match["name"].lower()
        if not match["end"]:
            raise _cannot_parse(f"Unclosed {'end' if match['close'] else 'start'} tag at byte offset {byte}")
        if not match["close"]:
            attributes = {
                key: _unescape(value.strip("\"'")) for key, value in _ATTRIBUTE.findall(match["attributes"])
            }
            if name not in _STYLES or (name == "span" and attributes.get("class") != "tg-spoiler"):
                raise _cannot_parse(f'Unsupported start tag "{name}" at byte offset {byte}')
            open_tags.append(_OpenTag(name, attributes, len(text)))
            continue
        if not open_tags:
            raise _cannot_parse(f"Unexpected end tag at byte offset {byte}")
        tag = open_tags.pop()
        if name and name != tag.name:
            raise _cannot_parse(
                f'Unmatched end tag at byte offset {byte}, expected "</{tag.name}>", found "</{name}>"'
            )
        entity = tag.entity(text)
        if entity is not None and not _is_language_of_pre(tag, open_tags, text):
            entities.append(entity)
    if open_tags:
        raise _cannot_parse(f'Can\'t find end tag corresponding to start tag "{open_tags[-1].name}"')
    return FormattedText(text + _unescape(source[at:]), entities)


@dataclass
class _OpenTag:
    name: str
    attributes: dict[str, str]
    start: int
    language: str = ""

    def entity(self, text: str) -> Json | None:
        inner = text[self.start :]
        kind = _STYLES[self.name]
        if not inner:
            return None
        entity: Json = {
            "type": kind,
            "offset": utf16_length(text[: self.start]),
            "length": utf16_length(inner),
        }
        if kind == "text_link":
            url = self.attributes.get("href", inner)
            if "://" not in url:
                return None  # Telegram shows the words and drops a link it cannot follow
            if person := re.fullmatch(r"tg://user\?id=(\d+)", url):
                user = {"id": int(person[1]), "is_bot": False, "first_name": inner}
                return entity | {"type": "text_mention", "user": user}
            entity["url"] = url
        if kind == "blockquote" and "expandable" in self.attributes:
            entity["type"] = "expandable_blockquote"
        if self.language:
            entity["language"] = self.language
        return entity


def _is_language_of_pre(tag: _OpenTag, around: list[_OpenTag], text: str) -> bool:
    """Merge `<pre><code class="language-x">` into one block in the language x."""
    if tag.name != "code" or not around or around[-1].name != "pre" or around[-1].start != tag.start:
        return False
    around[-1].language = tag.attributes.get("class", "").removeprefix("language-")
    return True


def _cannot_parse(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")


def _unescape(text: str) -> str:
    return _CHARACTER.sub(lambda match: html.unescape(match.group()), text)


def _trimmed(read: FormattedText) -> FormattedText:
    text = read.text.strip()
    cut = utf16_length(read.text) - utf16_length(read.text.lstrip())
    length = utf16_length(text)
    entities = []
    for entity in read.entities:
        start = max(entity["offset"] - cut, 0)
        end = min(entity["offset"] - cut + entity["length"], length)
        if end > start:
            entities.append({**entity, "offset": start, "length": end - start})
    return FormattedText(text, entities)


def _overlap(one: Json, other: Json) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"]
    )
