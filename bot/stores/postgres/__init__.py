"""The store for several machines: one PostgreSQL, and any number of processes. Needs asyncpg."""

from bot.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
