"""Copies of frozen records that change a field or two.

A task is copied at every step and at every save. `dataclasses.replace` hands all its forty fields to the
constructor by name; taking them over place by place is about a third of that work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def changed(record: T, **changes: Any) -> T:
    """A copy of a dataclass with slots and without `__post_init__`. KeyError for a field that it has not."""
    kind: Any = type(record)
    read, write = _places(kind)
    copy: T = object.__new__(kind)
    for put, value in zip(write.values(), read(record), strict=True):
        put(copy, value)
    for name, value in changes.items():
        write[name](copy, value)
    return copy


@cache
def _places(
    kind: type[Any],
) -> tuple[Callable[[object], tuple[Any, ...]], dict[str, Callable[[object, Any], None]]]:
    """What reads all fields, and what writes each: a slot can be written where an attribute is frozen."""
    names = [field.name for field in dataclasses.fields(kind)]
    return attrgetter(*names), {name: getattr(kind, name).__set__ for name in names}
