"""The doctor: find out what is wrong with this installation and how to fix it. It changes nothing."""

from bot.cli.doctor.checkup import check_file_of_settings, check_up, read_settings
from bot.cli.doctor.finding import Finding
from bot.cli.doctor.report import draw_table, write_json
from bot.cli.doctor.setting_values import Value, draw_values, list_values

__all__ = [
    "Finding",
    "Value",
    "check_file_of_settings",
    "check_up",
    "draw_table",
    "draw_values",
    "list_values",
    "read_settings",
    "write_json",
]
