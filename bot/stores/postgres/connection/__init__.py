"""The connection to the server: opened, pooled, mended, listened on, and this process announced on it."""
