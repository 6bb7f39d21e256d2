"""The chores: what runs beside the worker and the conversation, so that a bot can be left alone for years."""
