"""Recipes in SQL. Every function takes a connection and holds to `bot.store.RecipeStore`."""

from __future__ import annotations

from bot.store import Recipe
from bot.stores.postgres.connections import Connection
from bot.stores.values import Row, request_of, request_text


async def add(connection: Connection, recipe: Recipe) -> Recipe:
    request = request_text(recipe.request)
    await connection.execute("SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE", recipe.task_id)
    there = await connection.fetchrow(
        "SELECT * FROM recipes WHERE task_id = $1 AND request = $2", recipe.task_id, request
    )
    if there is not None:
        return _recipe(there)
    await connection.execute(
        "INSERT INTO recipes (token, task_id, user_id, request, created_at) VALUES ($1, $2, $3, $4, $5)",
        recipe.token,
        recipe.task_id,
        recipe.user_id,
        request,
        recipe.created_at,
    )
    return recipe


async def get(connection: Connection, token: str) -> Recipe | None:
    row = await connection.fetchrow("SELECT * FROM recipes WHERE token = $1", token)
    return None if row is None else _recipe(row)


def _recipe(row: Row) -> Recipe:
    request = request_of(row["request"])
    return Recipe(row["token"], row["task_id"], row["user_id"], request, row["created_at"])
