"""Cards of tasks in their chats: sent, updated, delivered, reposted."""
