"""Draft questions: what a draft asks its person, and what answers it. Pure."""

from __future__ import annotations

from enum import Flag, StrEnum, auto


class _Trait(Flag):
    NONE = 0
    STARTED_BY_ANSWER = auto()
    STARTED_BY_BUTTON = auto()
    AWAITS_WORDS = auto()
    AWAITS_PHOTO = auto()
    OFFERS_MOTIONS = auto()
    TAKES_LAST_PHOTO = auto()
    COLLECTS = auto()


class DraftQuestion(StrEnum):
    """Equals its string, which is stored with the draft and, if a card asks it, is the key of a phrase."""

    traits: _Trait

    def __new__(cls, question: str, traits: _Trait) -> DraftQuestion:
        member = str.__new__(cls, question)
        member._value_ = question
        member.traits = traits
        return member

    START = "card_draft", _Trait.STARTED_BY_BUTTON | _Trait.TAKES_LAST_PHOTO
    START_NAMED = "card_draft_named", _Trait.STARTED_BY_BUTTON
    START_REWORDED = "card_reworded", _Trait.STARTED_BY_BUTTON
    """With the words for a finished video: it can be made again with them, or continued."""
    START_GUESSED = "card_guessed", _Trait.STARTED_BY_BUTTON
    """After a mistyped command."""
    START_OLD = "card_old", _Trait.STARTED_BY_BUTTON
    START_CROPPED = "card_crop", _Trait.STARTED_BY_BUTTON
    MODEL = "card_switch", _Trait.NONE
    PHOTO_MOTION = (
        "card_ask_photo",
        _Trait.STARTED_BY_BUTTON | _Trait.AWAITS_WORDS | _Trait.OFFERS_MOTIONS | _Trait.TAKES_LAST_PHOTO,
    )
    PHOTO_WORDS = (
        "card_ask_photo_words",
        _Trait.AWAITS_WORDS | _Trait.OFFERS_MOTIONS | _Trait.TAKES_LAST_PHOTO,
    )
    REFERENCES_WORDS = "card_ask_references", _Trait.AWAITS_WORDS | _Trait.TAKES_LAST_PHOTO
    TWO_PHOTOS_WORDS = "card_ask_two_photos", _Trait.AWAITS_WORDS | _Trait.OFFERS_MOTIONS
    WHICH_PHOTOS = "card_which", _Trait.AWAITS_WORDS
    WORDS = "card_ask_words", _Trait.STARTED_BY_ANSWER
    OTHER_WORDS = "card_ask_other_words", _Trait.STARTED_BY_ANSWER
    OTHER_PHOTO = "card_ask_other_photo", _Trait.STARTED_BY_ANSWER | _Trait.AWAITS_PHOTO
    FIRST_PHOTO = "card_ask_first_photo", _Trait.STARTED_BY_ANSWER | _Trait.AWAITS_PHOTO
    RECIPE_PHOTO = "card_recipe_photo", _Trait.AWAITS_PHOTO
    EXTEND_WORDS = "card_ask_extend", _Trait.STARTED_BY_ANSWER
    ALBUM = "album", _Trait.COLLECTS
    ALBUM_WANTED = "album_wanted", _Trait.COLLECTS
    """It becomes a video without asking."""
    EXTENDING = "extending", _Trait.COLLECTS
    EXTENDING_PRESSED = "extending_tapped", _Trait.COLLECTS
    """A button asked for it."""
    EXTENDING_DRAFT = "extending_draft", _Trait.COLLECTS
    """It becomes a draft."""


def _with(trait: _Trait) -> frozenset[DraftQuestion]:
    return frozenset(question for question in DraftQuestion if trait in question.traits)


STARTED_BY_ANSWER = _with(_Trait.STARTED_BY_ANSWER)
"""They ask for a reply: an answer means that the video is wanted, and it starts."""
STARTED_BY_BUTTON = _with(_Trait.STARTED_BY_BUTTON)
AWAITS_WORDS = _with(_Trait.AWAITS_WORDS)
"""In private the next text message is the answer, if there is none yet."""
AWAITS_PHOTO = _with(_Trait.AWAITS_PHOTO)
"""The next photo is the answer; text alone is not."""
OFFERS_MOTIONS = _with(_Trait.OFFERS_MOTIONS)
"""A suggested motion is an answer, as text is."""
TAKES_LAST_PHOTO = _with(_Trait.TAKES_LAST_PHOTO)
"""A second photo may be sent, if there is one photo; and one more, if they are references."""
COLLECTS = _with(_Trait.COLLECTS)
"""They have no card: the rest of an album is still to come, or a video is being read."""
READS_VIDEO = frozenset(
    {DraftQuestion.EXTENDING, DraftQuestion.EXTENDING_PRESSED, DraftQuestion.EXTENDING_DRAFT}
)
