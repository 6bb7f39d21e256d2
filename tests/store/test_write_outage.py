"""An outage of the database begins with the first write that fails, and ends once it is really over."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot.stores.write_outage import WriteOutage

FULL = "its disk is full, free some space"


def test_a_small_write_that_a_full_disk_takes_ends_no_outage() -> None:
    counted, is_full = [0.0], [True]
    outage = WriteOutage(lambda: counted[0], lambda: not is_full[0])
    with capture_logs() as lines:
        for _ in range(10):
            outage.failed(FULL)
            counted[0] += 20
            outage.worked()
            assert outage.reason == FULL
        is_full[0] = False
        outage.worked()
        assert outage.reason == ""
    assert [line["event"] for line in lines] == [
        "the database takes no writes",
        "the database takes writes again",
    ]
    assert lines[1]["after_s"] == 200


def test_a_write_right_after_one_that_failed_proves_nothing() -> None:
    counted = [0.0]
    outage = WriteOutage(lambda: counted[0])
    outage.failed(FULL)
    counted[0] += 4
    outage.worked()
    assert outage.reason
    counted[0] += 1
    outage.worked()
    assert not outage.reason
