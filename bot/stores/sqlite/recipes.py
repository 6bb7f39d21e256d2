"""Recipes in SQL. Every function runs on the writer thread and holds to `bot.store.RecipeStore`."""

from __future__ import annotations

import sqlite3

from bot.store import Recipe
from bot.stores.sqlite.rows import to_text, to_time
from bot.stores.values import request_of, request_text


def add(connection: sqlite3.Connection, recipe: Recipe) -> Recipe:
    request = request_text(recipe.request)
    there = connection.execute(
        "SELECT * FROM recipes WHERE task_id = ? AND request = ?", [recipe.task_id, request]
    ).fetchone()
    if there is not None:
        return _recipe(there)
    connection.execute(
        "INSERT INTO recipes (token, task_id, user_id, request, created_at) VALUES (?, ?, ?, ?, ?)",
        [recipe.token, recipe.task_id, recipe.user_id, request, to_text(recipe.created_at)],
    )
    return recipe


def get(connection: sqlite3.Connection, token: str) -> Recipe | None:
    row = connection.execute("SELECT * FROM recipes WHERE token = ?", [token]).fetchone()
    return None if row is None else _recipe(row)


def _recipe(row: sqlite3.Row) -> Recipe:
    created_at = to_time(row["created_at"])
    assert created_at is not None  # noqa: S101 - the column cannot be NULL
    request = request_of(row["request"])
    return Recipe(row["token"], row["task_id"], row["user_id"], request, created_at)
