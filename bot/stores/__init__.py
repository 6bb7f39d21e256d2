"""Task stores: one implementation of `bot.store.Store` each."""
