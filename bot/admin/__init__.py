"""What operators do, once for the chat, the operator page and the command line."""
