"""Responses of the Bot API: a result, or an error with Telegram's own text."""

from __future__ import annotations

from typing import Any, TypeAlias

#: One JSON object of the Bot API: a Message, a User, an Update, the parameters of a call.
Json: TypeAlias = dict[str, Any]


class ApiError(Exception):
    """A call that Telegram refuses: the HTTP status, the description, and `parameters` for the caller."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> ApiError:
    return ApiError(403, f"Forbidden: {reason}")


def too_many_requests(retry_after: int) -> ApiError:
    """Return an error 429; `retry_after` is in seconds."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
