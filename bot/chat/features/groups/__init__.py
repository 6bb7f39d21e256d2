"""What the bot does when it joins a group, leaves it, or follows it to its new id."""
