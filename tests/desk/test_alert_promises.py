"""An alert is told, or known as untold: escalations, asynchronous channels, full disks, exits, forks, interruptions."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import subprocess
import sys
import textwrap

import pytest
from interrupts import interruptions

import riskkit as rk
from riskkit._files import append_whole
from riskkit.desk import Alert, AlertSystem, FileChannel, Retry
from riskkit.rules import BreakerLimits


def alert(n: int, severity: str = "WARN", **fields) -> Alert:
    return Alert(f"{n:016x}", "ann", "limit", severity, "too much.", n, **fields)


def test_an_escalation_is_no_repeat():
    rules = rk.RuleSet([rk.Rule("breaker", BreakerLimits(open_positions=1), action="HALT")])
    session = rk.Session.create(rules, [rk.Instrument("X"), rk.Instrument("Y")], ["ann"], compiled=False)
    told: list[Alert] = []
    alerts = AlertSystem({"desk": told.append}, deduplicate="60s")
    desk = alerts.watch(session)
    decided = []
    for ts, instrument in enumerate("XYX"):
        order = {"account": "ann", "instrument": instrument, "side": "B", "qty": 1, "price": 1, "order_id": str(ts)}
        decided += [decision.action.name for decision in desk.process_order(**order, ts=ts)]
    alerts.deliver()
    assert [one.action for one in told] == decided[: len(told)] and "HALT" in decided[: len(told)]


@pytest.mark.parametrize(
    "other",
    [{"severity": "CRITICAL"}, {"action": "HALT"}, {"key": "ann Y"}],
    ids=lambda other: next(iter(other)),
)
def test_what_differs_in_severity_action_or_key_is_no_repeat(other):
    alerts = AlertSystem(deduplicate="60s")
    assert alerts.post(alert(1, key="ann X"))
    assert not alerts.post(alert(2, key="ann X"))
    assert alerts.post(alert(3, **{"key": "ann X", **other}))


def test_an_id_is_raised_once_however_short_the_history():
    alerts = AlertSystem(keep=5)
    assert all(alerts.post(alert(n)) for n in range(7))
    assert not alerts.post(alert(0)) and len(alerts.history()) == 5


def test_an_asynchronous_channel_is_awaited():
    told: list[Alert] = []

    async def channel(one: Alert) -> None:
        await asyncio.sleep(0)
        told.append(one)

    async def failing(one: Alert) -> None:
        raise ConnectionError("closed\nCRITICAL forged")

    alerts = AlertSystem([channel, failing], retry=Retry(attempts=1))
    alerts.post(alert(1))
    assert alerts.deliver() == 1 and told == [alert(1)]
    assert alerts.status(alert(1).alert_id)["failing"] == {
        "status": "failed",
        "attempts": 1,
        "error": "ConnectionError: closed CRITICAL forged",
    }

    async def notebook() -> int:
        alerts.post(alert(2))
        return alerts.deliver()

    assert asyncio.run(notebook()) == 1 and told == [alert(1), alert(2)]


class SmallDisk(io.FileIO):
    """A file on a disk with room for some bytes, that writes at most ten at once."""

    room = 0

    def write(self, data) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = min(10, self.room, len(data))
        self.room -= count
        return super().write(data[:count])


@pytest.mark.parametrize("room", [0, 1, 25, 10_000])
def test_a_line_is_on_disk_as_a_whole_or_not_at_all(room, tmp_path):
    path = tmp_path / "alerts.jsonl"
    FileChannel(path)(alert(1))
    before, line = path.read_bytes(), b"x" * 40 + b"\n"
    with SmallDisk(path, "a+b") as file:
        file.room = room
        if room < len(line):
            with pytest.raises(OSError, match="No space left"):
                append_whole(file, line)
            assert path.read_bytes() == before
        else:
            append_whole(file, line)
            assert path.read_bytes() == before + line


def test_a_line_is_not_glued_to_what_a_killed_writer_left(tmp_path):
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b'{"alert_id": "torn')
    FileChannel(path)(alert(1))
    torn, line = path.read_text(encoding="utf-8").splitlines()
    assert Alert.from_dict(json.loads(line)) == alert(1) and torn.endswith("torn")


def in_a_process(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    head = "import os, sys, threading\nfrom riskkit.desk import *\n"
    script = head + textwrap.dedent(text)
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("ending", ["", "raise ValueError('end')"])
def test_what_waits_at_the_end_is_delivered_or_named(ending, tmp_path):
    script = f"""
        alerts = AlertSystem({{"file": FileChannel(sys.argv[1]), "hanging": lambda one: threading.Event().wait()}}, exit_timeout=0.2)
        alerts.start()
        for n in range(20):
            alerts.post(Alert(f"{{n:016x}}", "ann", "limit", "CRITICAL", "too much.", n))
        {ending}
        """
    ended = in_a_process(script, str(tmp_path / "told"))
    assert len((tmp_path / "told").read_text(encoding="utf-8").splitlines()) == 20
    (named,) = [line for line in ended.stderr.splitlines() if line.startswith("riskkit")]
    assert named.startswith("riskkit: channel hanging has not delivered 0000000000000000, 0000000000000001")


def test_a_forked_child_begins_anew(tmp_path):
    script = """
        tracker = PositionTracker({"A": 1})
        alerts = AlertSystem([FileChannel(sys.argv[1])]).start()
        held = threading.Event()
        def hold():
            with tracker._lock, alerts._lock, alerts._queues["file"].lock:
                held.set()
                threading.Event().wait()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        child = os.fork()
        if child == 0:
            tracker.update("u", "m", "A", 1, 1, timestamp=1)
            alerts.post(Alert("00", "ann", "limit", "WARN", "too much.", 1))
            alerts.close()
            os._exit(tracker.count())
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        os._exit(0)
        """
    assert in_a_process(script, str(tmp_path / "told")).stdout.split() == ["1"]
    assert len((tmp_path / "told").read_text(encoding="utf-8").splitlines()) == 1


def test_an_interrupted_alert_is_raised_or_not_and_told_in_the_end(long):
    def make():
        told: list[Alert] = []
        alerts = AlertSystem({"a": told.append, "b": lambda one: None}, capacity=2, deduplicate="60s")
        alerts.post(alert(1, key="first"))
        alerts.post(alert(2, key="second"))
        return alerts, told

    def call(made):
        made[0].post(alert(3, key="third"))  # drops the first from each queue
        made[0].deliver()

    for alerts, told in interruptions(make, call, 1 if long else 97):
        alerts.post(alert(3, key="third"))
        alerts.deliver()
        assert [one.timestamp for one in dict.fromkeys(told, None)][-2:] == [2, 3]
        counts = alerts.counters()
        assert counts["raised"] == len(alerts.history()) == 3 and counts["waiting"] == 0
        assert counts["delivered"] + counts["dropped"] == 6
