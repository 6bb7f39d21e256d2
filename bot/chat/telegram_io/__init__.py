"""Everything that exchanges data with Telegram: connection, updates, messages, files, rate limits."""
