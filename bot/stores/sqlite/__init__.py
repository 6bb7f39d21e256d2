"""The default store: one SQLite file, owned by one process and written by one thread."""

from bot.stores.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
