"""Objects of a desk whose states are kept in a file, in processes that are killed; run by tests/desk/test_killed_states.py.

A writer goes on from the file, takes step n with every object, delivers its alerts, writes the file whole, and tells through a
pipe what is on the disk; it is killed with SIGKILL at a moment that a seed decides, any or in one of its writes. What the
next one finds is what a twin that took the same steps in one process has: acknowledgements, mutes, windows of repeats, the
loss of the day, the drawdown, the book.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from killed import deadly, last_told, tell

import riskkit as rk
from riskkit._files import write_whole
from riskkit.desk import Alert, AlertSystem, FileChannel, PositionTracker, RiskManager, RiskState

SECOND = 10**9
USERS, LIMITS = ("ann", "bob", "eve"), ("size", "rate")


def alerts(state: Any = None, channel: Any = None) -> AlertSystem:
    options: dict[str, Any] = {"deduplicate": "8s", "keep": 50}
    channels = {} if channel is None else {"file": channel}
    return AlertSystem(channels, **options) if state is None else AlertSystem.from_state(state, channels, **options)


def alert(n: int) -> Alert:
    return Alert(f"{n:016x}", USERS[n % 3], LIMITS[n % 2], ("WARN", "CRITICAL")[n // 3 % 2], "too much.", n * SECOND)


def alert_step(made: AlertSystem, n: int) -> None:
    """Raise an alert; every few steps mute, unmute, acknowledge."""
    raised = made.post(alert(n))
    if n % 5 == 0:
        made.mute(USERS[n % 3], LIMITS[n // 5 % 2], until=None if n % 2 else (n + 3) * SECOND)
    if n % 7 == 0:
        made.unmute(USERS[n // 7 % 3], LIMITS[n % 2])
    if raised and n % 3 == 0:
        made.acknowledge(f"{n:016x}", who="desk", timestamp=n)


def manager() -> RiskManager:
    made = RiskManager(10_000, bars_per_day=1)
    made.add_ticker("A", price=100.0, volatility=0.02)
    return made


def tracker() -> PositionTracker:
    return PositionTracker({"ETH": "1e-18"}, remember=20)


KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Callable[[Any, int], Any]]] = {
    "breaker": (
        lambda: rk.CircuitBreaker(daily_loss=100),
        rk.CircuitBreaker.from_state,
        lambda made, n: made.record_trade(7 * (n % 5) - 15, now=n * 3_600 * SECOND),
    ),
    "risk state": (RiskState, RiskState.from_state, lambda made, n: made.update(100.0 + n % 9 - n % 4, timestamp=n)),
    "tracker": (
        tracker,
        PositionTracker.from_state,
        lambda made, n: made.update(USERS[n % 3], "m", "ETH", n % 5 - 2 or 3, 10 + n % 7, timestamp=n, trade_id=n),
    ),
    "manager": (
        manager,
        RiskManager.from_state,
        lambda made, n: made.execute_trade("A", 1 + n % 3, "sell" if n % 2 else "buy", timestamp=n),
    ),
}


class Objects:
    """The objects after a number of steps, from a file if there is one."""

    def __init__(self, path: Path | None = None, channel: Any = None) -> None:
        kept = json.loads(path.read_bytes()) if path is not None and path.exists() else None
        states = {} if kept is None else kept["states"]
        self.steps = 0 if kept is None else kept["steps"]
        self.alerts = alerts(states.get("alerts"), channel)
        self.others = {
            name: read(states[name]) if name in states else make() for name, (make, read, _) in KINDS.items()
        }

    def step(self) -> None:
        self.steps += 1
        alert_step(self.alerts, self.steps)
        for name, (_, _, change) in KINDS.items():
            change(self.others[name], self.steps)

    def write(self, path: Path) -> None:
        states = {"alerts": self.alerts.state(), **{name: made.state() for name, made in self.others.items()}}
        write_whole(path, [json.dumps({"steps": self.steps, "states": states}).encode()])

    def digests(self) -> dict[str, str]:
        """Of everything but deliveries, which the twin has none of."""
        told = self.alerts.state()
        for entry in told["history"]:
            entry["deliveries"] = []
        return {"alerts": json.dumps(told), **{name: made.digest for name, made in self.others.items()}}


def write(folder: Path, pipe: int) -> None:
    """Take steps until killed."""
    made = Objects(folder / "state.json", FileChannel(folder / "told.jsonl"))
    while True:
        tell(pipe, made.steps)
        made.step()
        made.alerts.deliver()
        made.write(folder / "state.json")


def main(folder: Path, kills: int) -> None:
    draw, twin, steps = random.Random(3), Objects(), 0
    for kill in range(kills):
        turn = draw.randint(1, 30)

        def going_on(pipe: int, kill: int = kill, turn: int = turn) -> None:
            if kill % 2:  # in a flush: of a line of the channel, of the file, or of its folder
                os.fsync = deadly([turn], os.fsync)
            write(folder, pipe)

        steps = last_told(going_on, draw, at_any_time=kill % 2 == 0) or steps
        found = Objects(folder / "state.json")
        assert found.steps >= steps, f"step {found.steps} is on the disk, {steps} was told of"
        while twin.steps < found.steps:
            twin.step()
        assert found.digests() == twin.digests(), "what was found is not what was done"
    last = Objects(folder / "state.json", FileChannel(folder / "told.jsonl"))
    last.alerts.deliver()
    lines = (folder / "told.jsonl").read_text().splitlines()
    delivered = {Alert.from_dict(json.loads(line)).alert_id for line in lines}
    history = last.alerts.history()
    raised = set(history.loc[~history["muted"], "alert_id"])
    muted = set(history.loc[history["muted"], "alert_id"])
    assert raised <= delivered, "an alert was lost"
    assert not muted & delivered, "a muted alert was told"
    counts = last.alerts.counters()
    print(json.dumps({"steps": last.steps, "raised": len(raised), "muted": len(muted), **counts}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
