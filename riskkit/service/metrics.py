"""Metrics of a service: plain counts that its one writer adds to, and the text that Prometheus reads.

A counter of a metrics library costs more than a decision, so the writer counts in integers, and families are made of them
when somebody asks. The registry is one of its own; nothing is global.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from riskkit._check import optional
from riskkit.service.followers import Follower

BOUNDS = (1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the buckets of a histogram, in seconds."""
MOST_LABELS = 100  # series of one family: a label by account grows with the accounts
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """Times in buckets.

    Examples
    --------
    >>> times = Histogram()
    >>> times.observe(0.0004), times.observe(0.2, count=2)
    (None, None)
    >>> times.count, times.total
    (3, 0.4004)
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float, count: int = 1) -> None:
        """Add a time, or the equal times of the `count` events of a batch."""
        self.counts[bisect_left(BOUNDS, seconds)] += count
        self.total += seconds * count

    @property
    def count(self) -> int:
        """Number of times so far."""
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound of each bucket, and how many times are not above it."""
        found, below = [], 0
        for bound, count in zip([*map(repr, BOUNDS), "+Inf"], self.counts, strict=True):
            below += count
            found.append((bound, float(below)))
        return found


class Family(NamedTuple):
    """A family of metrics: the attribute of `Metrics` that has its values, its kind, name, label and meaning."""

    attribute: str
    kind: str
    name: str
    label: str
    about: str


FAMILIES = (
    Family("calculations", "counter", "risk_calculations", "", "Events that were put through the rules."),
    Family("durations", "histogram", "risk_calculation_duration_seconds", "", "Time of a decision."),
    Family("positions", "gauge", "active_positions_total", "", "Positions that are not zero."),
    Family("alert_latency", "histogram", "alert_latency_seconds", "", "Time from an event to its alert."),
    Family("orders", "counter", "riskkit_orders", "verdict", "Orders, by passed or refused."),
    Family("bad_events", "counter", "riskkit_bad_events", "", "Events that were not taken: a field does not fit."),
    Family("alerts", "counter", "riskkit_alerts", "", "Actions of rules that refuse nothing: alerts and pauses."),
    Family("commits", "counter", "riskkit_commits", "", "Writes of the journal."),
    Family("undurable", "gauge", "riskkit_journal_lag_events", "", "Events that are decided and not on disk yet."),
    Family("queue_depth", "gauge", "riskkit_queue_depth", "", "Requests that wait for the writer."),
    Family("queue_full", "counter", "riskkit_queue_full", "", "Requests that were refused because the queue was full."),
    Family("stopped", "gauge", "riskkit_breaker_open", "account", "1 of an account that may not trade freely."),
    Family("sockets", "gauge", "riskkit_sockets", "", "Open WebSockets."),
    Family(
        "sockets_dropped", "counter", "riskkit_sockets_dropped", "", "WebSockets closed because they were too slow."
    ),
    Family(
        "behind", "gauge", "riskkit_follower_behind", "follower", "Commits that wait for a follower of the journal."
    ),
    Family(
        "missed", "counter", "riskkit_follower_missed", "follower", "Events a follower has to look up in the journal."
    ),
    Family("event_age", "gauge", "riskkit_event_age_seconds", "", "Age of the last event when it was decided."),
    Family("stream_lag", "gauge", "riskkit_stream_lag_messages", "partition", "Messages of a partition that wait."),
    Family("workers_ended", "counter", "riskkit_workers_ended", "", "Workers that ended and were started again."),
    Family("ready", "gauge", "riskkit_ready", "", "1 once the service is warm and decides."),
)


class Metrics:
    """What a service counts.

    Attributes
    ----------
    calculations, bad_events, alerts, commits, queue_full, sockets_dropped, workers_ended : int
        Counts since the start.
    durations, alert_latency : Histogram
        In seconds.
    orders : dict
        {"passed": count, "refused": count}.
    undurable, queue_depth, sockets, event_age, ready : float
        As of now; event_age in seconds.
    behind, missed, stream_lag : dict
        By name of a follower, by partition.
    refresh : callable, optional
        Called before each reading, to bring what is looked up seldom (`look_up`) up to date.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.calculations += 3
    >>> metrics.orders["refused"] += 1
    >>> [line for line in metrics.exposition().decode().splitlines() if line.startswith(("risk_calculations", "riskkit_orders"))]
    ['risk_calculations_total 3.0', 'riskkit_orders_total{verdict="passed"} 0.0', 'riskkit_orders_total{verdict="refused"} 1.0']
    """

    def __init__(self, refresh: Callable[[Metrics], Any] | None = None) -> None:
        self.refresh = refresh
        self.calculations = self.bad_events = self.alerts = self.commits = self.queue_full = self.sockets_dropped = 0
        self.workers_ended = 0
        self.undurable = self.queue_depth = self.sockets = self.ready = self.positions = 0
        self.event_age = 0.0
        self.durations, self.alert_latency = Histogram(), Histogram()
        self.orders = {"passed": 0, "refused": 0}
        self.stopped: dict[str, int] = {}
        self.behind: dict[str, int] = {}
        self.missed: dict[str, int] = {}
        self.stream_lag: dict[str, int] = {}

    def decided(self, seconds: float, taken: int, passed: int, actions: int) -> None:
        """Count the events of one call, and the actions on them that refuse nothing."""
        self.calculations += taken
        self.durations.observe(seconds / max(taken, 1), taken)
        self.orders["passed"] += passed
        self.orders["refused"] += taken - passed
        self.alerts += max(actions - (taken - passed), 0)

    def look_up(self, *sessions: Any) -> None:
        """Count the positions of sessions, and name the accounts that may not trade freely."""
        self.positions, self.stopped = 0, {}
        for session in sessions:
            status = session.status()
            self.positions += int((status.state.positions[1:]["qty"] != 0).sum())
            states = status.states()
            self.stopped |= {account: 1 for account, state in states.items() if state != "ACTIVE"}

    def look_at(self, followers: Sequence[Follower]) -> None:
        """Note how far followers are behind, and what they have missed."""
        self.behind = {follower.name: follower.behind for follower in followers}
        self.missed = {follower.name: follower.dropped for follower in followers}

    def exposition(self) -> bytes:
        """The text that Prometheus reads (`TYPE` is its content type)."""
        client = optional("prometheus_client", "service")
        registry = client.CollectorRegistry(auto_describe=False)
        registry.register(self)
        return bytes(client.generate_latest(registry))

    def collect(self) -> Iterator[Any]:
        """The families, as a collector of prometheus_client."""
        core = optional("prometheus_client.core", "service")
        kinds = {
            "counter": core.CounterMetricFamily,
            "gauge": core.GaugeMetricFamily,
            "histogram": core.HistogramMetricFamily,
        }
        if self.refresh is not None:
            self.refresh(self)
        for family in FAMILIES:
            value = getattr(self, family.attribute)
            made = kinds[family.kind](family.name, family.about, labels=[family.label] if family.label else [])
            if isinstance(value, Histogram):
                made.add_metric([], value.buckets(), value.total)
            elif isinstance(value, Mapping):
                for label, count in sorted(value.items())[:MOST_LABELS]:
                    made.add_metric([label], count)
            else:
                made.add_metric([], value)
            yield made
