"""How the bot reaches other servers: proxies, and addresses with accounts in them."""
