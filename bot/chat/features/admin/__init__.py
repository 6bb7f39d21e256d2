"""The commands and buttons of the bot's admins, a file each."""
