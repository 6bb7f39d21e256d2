"""The connection to the database file: opened, locked, checked, written by one thread, read by others."""
