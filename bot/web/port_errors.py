"""Why a port cannot be listened on, in the system's own few words."""

from __future__ import annotations

import os
import socket


def reason_of(error: OSError) -> str:
    """asyncio wraps them in a sentence of its own, with the address once more."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)
