"""Every error that is raised on purpose, as a tree.

DreamreelError
├── SettingsError      the start ends with this one sentence: the operator has to fix something
├── StartError         the same, but a later start may work by itself
├── TaskError
│   ├── StaleTask      the task was changed since it was read
│   └── IllegalMove    a move that the state table does not allow: a defect of ours
├── StoreError         the database refused: nothing of the call is stored
│   ├── StoreUnavailable  it takes no writes or does not answer: the store itself logs that, once
│   └── Unstorable     it holds no such value, today or later
├── ProviderError      sorted by what the worker does next
│   ├── Unavailable    certainly not accepted: try later
│   ├── Rejected       certainly not accepted, and never will be: tell the person
│   ├── AccountProblem the operator's account is refused: tell the operator
│   └── OutcomeUnknown may have been accepted and charged: stop, ask
├── FetchError         a finished video could not be fetched
├── MediaError         a photo or a video that cannot be used
└── ChatError          Telegram's answers, sorted the same way
    ├── ChatBusy       not now; says when
    ├── ChatGone       this chat cannot be written to any more
    │   └── ChatForbids    the bot may not send this here; something else it may
    ├── ChatMoved      the group has another id now
    ├── CardGone       the card was deleted or can no longer be edited
    ├── CallRefused    Telegram refuses this call: repeating it is useless
    └── CallUnclear    the call may or may not have had its effect
"""

from __future__ import annotations

from typing import Literal


class DreamreelError(Exception):
    """The base class. Errors of libraries are translated into it where they occur."""


class SettingsError(DreamreelError):
    """A setting is missing or wrong; the text is one sentence for the operator."""


class TaskError(DreamreelError):
    pass


class StaleTask(TaskError):
    """The task has another version: its new owner goes on, this writer stops."""


class IllegalMove(TaskError):
    pass


class StartError(DreamreelError):
    """Something that the start needs is not available now; the text is one sentence for the operator."""


class StoreError(DreamreelError):
    """The database refused; the text is for the log. Nothing of the call that raised it is stored."""


class StoreUnavailable(StoreError):
    """The database takes no writes at present, or does not answer. The store logs its start and its end."""


class Unstorable(StoreError):
    """A value that the database cannot hold, such as a number of a hundred digits: a defect of ours."""


class ProviderError(DreamreelError):
    """What a provider's answer means. `code` is a failure code, `detail` goes to the log only."""

    def __init__(self, code: str, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class Unavailable(ProviderError):
    pass


class Rejected(ProviderError):
    pass


Trouble = Literal[
    "no_balance", "key_refused", "not_activated", "model_gone", "wrong_clock", "wrong_address", "account"
]
"""What an operator has to fix; `account` if the provider does not say."""


class AccountProblem(ProviderError):
    """People read `code`; `trouble` tells the admins what to do."""

    def __init__(self, code: str, detail: str = "", *, trouble: Trouble = "account") -> None:
        super().__init__(code, detail)
        self.trouble = trouble


class OutcomeUnknown(ProviderError):
    pass


class FetchError(DreamreelError):
    """`code` is a failure code; `again` says whether a later try may work.

    `fake_host`: the host of the video, if this machine's DNS gives it an address that is not real.
    """

    def __init__(self, code: str, detail: str = "", *, again: bool, fake_host: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.again = again
        self.fake_host = fake_host


class MediaError(DreamreelError):
    """`code` is a phrase key; `values` fill its placeholders."""

    def __init__(self, code: str, detail: str = "", **values: object) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.values = values

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes pickle their errors; the default would lose the keyword arguments.
        return (_media_error, (self.code, self.detail, self.values))


class ChatError(DreamreelError):
    pass


class ChatBusy(ChatError):
    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"retry after {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class ChatGone(ChatError):
    pass


class ChatForbids(ChatGone):
    pass


class ChatMoved(ChatError):
    def __init__(self, chat_id: int) -> None:
        super().__init__(f"moved to {chat_id}")
        self.chat_id = chat_id


class CardGone(ChatError):
    pass


class CallRefused(ChatError):
    pass


class CallUnclear(ChatError):
    pass


def _media_error(code: str, detail: str, values: dict[str, object]) -> MediaError:
    return MediaError(code, detail, **values)
