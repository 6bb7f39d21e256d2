"""Dreamreel: a Telegram bot that makes videos."""
