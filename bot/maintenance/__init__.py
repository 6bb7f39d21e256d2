"""What runs beside the worker and the chat: backup, cleanup, alerts, the daily report, metrics, heartbeat."""
