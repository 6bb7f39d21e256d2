"""From a Telegram message to what it asks for. Pure functions."""
