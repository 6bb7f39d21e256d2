"""Say why a port cannot be used, in the system's own words."""

from __future__ import annotations

import os
import socket


def reason_of(error: OSError) -> str:
    """Return the reason alone: asyncio wraps it in a sentence that repeats the address."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)
