"""24 hours under faults: each is told once, its end once, nothing is lost, nothing is bought twice."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from structlog.testing import capture_logs

from chaos.day import Day

SEED = int(os.environ.get("CHAOS_SEED", "1"))


async def test_each_fault_of_a_day_is_told_once_and_nothing_is_lost_or_bought_twice(
    tmp_path: Path, clip: Path
) -> None:
    with capture_logs() as lines:
        report = await Day(tmp_path, clip, SEED).play()
    assert report.wrong == []
    assert report.ends["video"] > 100
    told = [key for key in report.alerts if key != "alert_day"]
    assert told == [
        *("alert_down", "alert_down_over", "alert_fetches", "alert_fetches_over"),
        *("alert_backup", "alert_backup_over", "alert_database", "alert_database_over"),
        *("alert_disk", "alert_disk_over"),
        # While the network is gone nobody can be told. What is left of it is, once it is back.
        *told[10:],
    ]
    assert told[10:] in ([], ["alert_down", "alert_down_over"])
    assert report.notices == ["brake_disk", "brake_disk_over", "trouble_no_balance", "trouble_over"]
    logged = Counter(line["event"] for line in lines)
    for begin, end in (
        ("the database takes no writes", "the database takes writes again"),
        ("the clock was set back: the bot counts on", "the clock has caught up"),
        ("the account was refused", "the account works again"),
        ("videos cannot be stored, nothing more is bought", "videos can be stored again"),
    ):
        assert (logged[begin], logged[end]) == (1, 1), begin
    failing = logged["submits fail"] + logged["polls fail"] + logged["fetches fail"]
    # A process died within the first outage: what it had logged of it, the next one logs again.
    assert failing - 2 <= logged["the provider answers again"] <= failing
    assert report.alerts.count("alert_day") == 2, "for the day before the first, and in the morning"
