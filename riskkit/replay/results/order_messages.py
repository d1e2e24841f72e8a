"""The decisions on the messages of an order as sentences for a trader: why, since when, until when, what would pass.

Times are local. What tripped a pause, and at which value, is found by a replay up to the trip.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from riskkit._check import InputError
from riskkit._check import shown as shown_value
from riskkit._show import frame_of
from riskkit.replay.log.contents import content_words, quantity_text
from riskkit.replay.results.explain import Explanation, joined, names_in, shown, unjudged
from riskkit.replay.results.frames import message_labels
from riskkit.replay.results.present import Reading
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import MISSING, Cause, DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.scopes import event_label, key_label
from riskkit.replay.schema.universe import decimal_text

if TYPE_CHECKING:
    import pandas as pd

    from riskkit.replay.results.result import ReplayResult
    from riskkit.replay.results.what_if import Explainer, Objection

REFUSED = (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD)
FATES = {
    DecisionCode.VANISH: "did not happen: its order was refused or left out",
    DecisionCode.CUT: "was cut to what its order may have",
    DecisionCode.ORPHAN: "was left out: it would have closed a position that is not held",
    DecisionCode.CLIPPED: "was cut to the position that is held",
    DecisionCode.DUP: "was left out: it repeats an earlier fill",
    DecisionCode.ERROR_TS: "was left out: its time is earlier than that of the event before it",
    DecisionCode.CANCELLED: "took a working order off the book",
    DecisionCode.DECREMENTED: "met a working order, and both were reduced",
    DecisionCode.POSITION_BREAK: "found another position than we believed",
    DecisionCode.ORDER_BREAK: "found another rest of an order than we believed",
    DecisionCode.SETTLED: "settled a position",
    DecisionCode.ERROR_STATE: "was left out: there is no such reservation, or it is finished",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAY = {"HALT": "may only cancel orders", "PAUSE": "may only cancel orders and reduce positions"}


class LocalTimes:
    """Times as text in a time zone, named by its abbreviation.

    Examples
    --------
    >>> LocalTimes("America/New_York")(1_632_096_000_500_000_000)
    '2021-09-19 20:00:00.5 EDT'
    """

    def __init__(self, tz: str) -> None:
        try:
            self.zone = ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise InputError(
                f"tz={shown_value(tz)} is not a time zone; use a name such as 'UTC' or 'America/New_York'"
            ) from None
        self.tz = tz

    def __call__(self, ts: int) -> str:
        """A time in nanoseconds, with the necessary decimals."""
        seconds, rest = divmod(ts, 10**9)
        time = (EPOCH + timedelta(seconds=seconds)).astimezone(self.zone)
        parts = f".{rest:09}".rstrip("0").rstrip(".")
        return f"{time:%Y-%m-%d %H:%M:%S}{parts} {time:%Z}"

    def until(self, ts: int) -> str:
        """The end of a pause; without an end, a person ends it."""
        return "until a person resets it" if ts == NEVER else f"until {self(ts)}"


class OrderMessages:
    """Sentences on the messages of a result's orders.

    Parameters
    ----------
    result : ReplayResult
        Decisions with their log.
    tz : str
        Time zone of the times.
    explainer : Explainer, optional
        Finds what tripped a pause and what would have passed; None if there are no events to replay.
    """

    def __init__(self, result: ReplayResult, tz: str, explainer: Explainer | None) -> None:
        self.result, self.log, self.rules, self.explainer = result, result.log, result.rules, explainer
        self.time = LocalTimes(tz)
        self._limits: dict[int, str] = {}
        self._trips: dict[tuple[int, str], list[np.void]] = {}
        for row in result.transitions():
            if row["code"] == DecisionCode.TRIP:
                key = key_label(
                    self.rules[int(row["cause"])].scope, int(row["key"]), self.log.universe,
                    self.log.pair_account, self.log.pair_instrument,
                )  # fmt: skip
                self._trips.setdefault((int(row["cause"]), key), []).append(row)

    def of_order(self, row: int) -> Explanation:
        """All decisions on one order: on itself, its modifies, cancels and fills."""
        seqs = np.flatnonzero(self.log.columns["order"] == row)
        decisions = self.result.rows[np.isin(self.result.rows["seq"], seqs)]
        found: list[Explanation] = [self._decided(decision) for decision in decisions]
        if not any(decision["seq"] == row for decision in decisions):
            found.insert(0, Explanation(f"{self.message(row)} was accepted; no rule objected."))
        return joined(found)

    def _decided(self, row: np.void) -> Explanation:
        seq, code = int(row["seq"]), DecisionCode(int(row["code"]))
        if code in REFUSED:
            return self._with_what_passes(self.refused(row, tripped_at=True), seq)
        if code == DecisionCode.ALERTED:
            names = " and ".join(names_in(self.rules, int(row["mask"])))
            return Explanation(f"{self.message(seq)} was accepted with a warning of {names}{self._reading(row)}.")
        if code == DecisionCode.TRIP:
            rule = self._rule(row)
            return Explanation(f"{self.message(seq)} tripped {rule.id}, {self.time.until(int(row['until']))}.")
        if code == DecisionCode.QUEUED:
            until = self.time(int(row["until"]))
            return Explanation(
                f"{self.message(seq)} was accepted and waits its turn by {self._rule(row).id}, until {until}."
            )
        return Explanation(f"{self.message(seq)} {FATES[code]}.")

    def message(self, seq: int) -> str:
        """What was sent, for whom and when."""
        row = {name: int(column[seq]) for name, column in self.log.columns.items()}
        universe, kind = self.log.universe, EventKind(row["kind"])
        label = self.log.order_labels.by_row.get(row["order"], "")
        if kind == EventKind.CREDIT:
            return self._credit(row, label)
        words = ["Order" if kind == EventKind.ORDER else f"{kind.name.capitalize()} of order", label]
        instrument = universe.instruments[row["instrument"]]
        words = [word for word in words if word] if label or kind == EventKind.ORDER else [kind.name.capitalize()]
        traded = ["buy" if row["side"] > 0 else "sell"] if kind != EventKind.CANCEL else []
        asked = row["qty"] > 0 or row.get("flags", 0) & RowFlag.CLOSE_POSITION
        traded += [quantity_text(row, instrument)] if asked and traded else []
        traded.append(instrument.id)
        traded += (
            [f"at {decimal_text(row['price'] * instrument.price_step)}"]
            if row["price"] != MISSING and traded[1:]
            else []
        )
        account = f" for {universe.accounts[row['account']].id}" if row["account"] >= 0 else ""
        return f"{' '.join(words)} ({' '.join(traded)}{account}, {self.time(row['ts'])})"

    def _credit(self, row: dict[str, int], label: str) -> str:
        """A step of credit."""
        step, *amount = content_words(row, self.log.universe)
        details = ", ".join([*amount, self.time(row["ts"])])
        return f"{step.capitalize()} of {label or 'no reservation'} ({details})"

    def refused(self, row: np.void, *, reading: Reading | None = None, tripped_at: bool = False) -> str:
        """Sentences on a refusal with this `reading`; `tripped_at` adds the value that tripped its pause (replays the log)."""
        seq, cause, code = int(row["seq"]), int(row["cause"]), int(row["code"])
        start = f"{self.message(seq)} was refused"
        if cause == Cause.COMMAND:
            return f"{start}: the account is paused by a command."
        rule = self._rule(row)
        if code == DecisionCode.HELD:
            return f"{start}: {self._pause(rule, cause, row, tripped_at)}"
        if code == DecisionCode.NO_PRICE:
            reason = f": {unjudged(rule, int(row['limit']), self.log.universe)}"
        else:
            reason = self._reading(row, reading)
        return f"{start} by {rule.id}{reason}. The limit is {self._limit(rule)}."

    def _pause(self, rule: Rule, cause: int, row: np.void, tripped_at: bool) -> str:
        key = self.key(rule, int(row["seq"]))
        trips = [trip for trip in self._trips.get((cause, key), ()) if trip["seq"] <= row["seq"]]
        text = f"{key} is {rule.pause_word} by {rule.id}"
        if trips:
            text += f" since {self.time(int(self.log.columns['ts'][trips[-1]['seq']]))}"
            reading = str(self.explainer.of_trip(self.result, trips[-1])) if tripped_at and self.explainer else ""
            text += f" ({reading})" if reading else ""
        until = self.time.until(int(row["until"])) if row["until"] else "until its probes are answered"
        may = f"{until[0].upper()}{until[1:]} it {MAY.get(rule.action, MAY['PAUSE'])}"
        return f"{text}. The limit is {self._limit(rule)}. {may}."

    def _limit(self, rule: Rule) -> str:
        """The limit of a rule in words, made once: many refusals have it."""
        if id(rule) not in self._limits:
            self._limits[id(rule)] = rule.limit_text()
        return self._limits[id(rule)]

    def key(self, rule: Rule, seq: int) -> str:
        """Label of a message's key in the scope of a rule."""
        event = {
            "strategy": -1,
            "connection": -1,
            **{name: int(column[seq]) for name, column in self.log.columns.items()},
        }
        return event_label(rule.scope, self.log.universe, event)

    def _rule(self, row: np.void) -> Rule:
        """The rule of a decision, as it was in force."""
        return self.result.history.at(int(row["seq"])).rules[int(row["cause"])]

    def _shown(self, row: np.void) -> Reading:
        return shown(self.log, self.result.history.at(int(row["seq"])).rules, row)

    def _reading(self, row: np.void, reading: Reading | None = None) -> str:
        text = str(self._shown(row) if reading is None else reading)
        return f": {text}" if text else ""

    def _with_what_passes(self, sentence: str, seq: int) -> Explanation:
        """A refusal, and for each rule that objected what it would have accepted."""
        objections = self.explainer(self.result, seq) if self.explainer else ()
        texts = [self._passes(objection, len(objections) > 1) for objection in objections]
        return Explanation(" ".join([sentence, *texts]), objections, listed=False)

    def _passes(self, found: Objection, named: bool) -> str:
        text = found.instead(None if found.next_ts is None else self.time(found.next_ts))
        return f"By {found.rule}, {text}." if named else f"{text[0].upper()}{text[1:]}."

    def frame(self) -> pd.DataFrame:
        """One row per refusal; see `ReplayResult.refused`."""
        import pandas as pd

        rows, columns, universe = self.result.rejections(), self.log.columns, self.log.universe
        seqs = rows["seq"]
        readings = [self._shown(row) for row in rows]
        until = np.where((rows["until"] == NEVER) | (rows["until"] == 0), np.iinfo(np.int64).min, rows["until"])
        code, price, amount = (columns[name][seqs] for name in ("instrument", "price", "qty"))
        quantities, prices = np.full((2, len(seqs)), np.nan)
        traded, limited = code >= 0, (code >= 0) & (price != MISSING)
        quantities[traded] = universe.quantities(amount[traded], code[traded])
        prices[limited] = universe.prices(price[limited], code[limited])

        def local(times: np.ndarray) -> pd.DatetimeIndex:
            return pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(self.time.tz)

        named = message_labels(self.log, seqs, columns["order"][seqs])
        found: dict[str, Any] = {
            "time": local(columns["ts"][seqs]),
            **named,
            "quantity": quantities,
            "price": prices,
            "rule": [self.rules[c].id if c >= 0 else "" for c in rows["cause"]],
            "observed": np.array([np.nan if r.observed is None else r.observed for r in readings], float),
            "limit": np.array([np.nan if r.limit is None else r.limit for r in readings], float),
            "unit": [reading.unit for reading in readings],
            "until": local(until),
            "sentence": [self.refused(row, reading=reading) for row, reading in zip(rows, readings, strict=True)],
        }
        return frame_of(found, {*named, "rule", "unit", "sentence"}).set_index(pd.Index(seqs, name="seq"))
