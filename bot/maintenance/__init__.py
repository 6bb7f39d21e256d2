"""Run beside the worker and the chat: backups, cleanup, alerts, metrics, the heartbeat."""
