"""What the bot tells its operators, and asks them."""
