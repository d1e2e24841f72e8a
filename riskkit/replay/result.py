"""What a replay says: decisions, transitions, the book at the end, and the digest that proves them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._show import Row, Shown
from riskkit.replay.columns import Kind
from riskkit.replay.digest import Chain, hash_plain, seal
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.state import Calendars, State
from riskkit.replay.steps import COMMAND, NEVER, ROW, Counter, Decision

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECISION_WORDS", "Result", "digest_of"]

REFUSALS = (Decision.OBJECT, Decision.NO_PRICE, Decision.HELD)
DECISION_WORDS = {
    Decision.OBJECT: "refused",
    Decision.NO_PRICE: "refused: no price is known",
    Decision.HELD: "refused: paused",
    Decision.ALERTED: "alert",
    Decision.VANISH: "vanished with its refused order",
    Decision.CUT: "fill cut to what its order may have",
    Decision.ORPHAN: "orphan exit left out",
    Decision.CLIPPED: "orphan exit cut to flat",
    Decision.DUP: "duplicate fill",
    Decision.ERROR_TS: "earlier than the event before it",
    Decision.TRIP: "trip",
    Decision.RELEASE: "release",
}
NOTE = "Neither the market nor the strategies react to what is refused; marks stay as recorded."


class Result(Shown):
    """The answer of `riskkit.replay`.

    Attributes
    ----------
    rows : structured ndarray
        One row a decision that is not a plain pass, and one a transition; see `riskkit.replay.steps.ROW`.
    digest : str
        64 hexadecimal digits over semantics, universe, rules, days, events and rows.
    """

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet,
        mode: str,
        options: dict[str, str],
        rows: np.ndarray,
        state: State,
        calendars: Calendars,
        sample_at: np.ndarray,
        sampled: np.ndarray,
    ) -> None:
        self.log = log
        self.rules = rules
        self.mode = mode
        self.options = options
        self.rows = rows
        self.state = state
        self.calendars = calendars
        self._sample_at = sample_at
        self._sampled = sampled

    @cached_property
    def digest(self) -> str:
        """The proof: equal digests mean the same events, rules, days and decisions."""
        chain = Chain(ROW.itemsize)
        chain.update(self.rows.tobytes())
        return digest_of(
            self.log.universe_hash, self.log.event_hash, self.rules, self.mode, self.options, self.calendars, chain
        )

    # ------------------------------------------------------------------ decisions

    def refused(self) -> np.ndarray:
        """Rows of the refused orders and modifies."""
        return self.rows[np.isin(self.rows["code"], REFUSALS)]

    def transitions(self) -> np.ndarray:
        """Rows of trips and of releases by hand."""
        return self.rows[np.isin(self.rows["code"], (Decision.TRIP, Decision.RELEASE))]

    def refusals_by_rule(self) -> dict[str, int]:
        """Number of refusals that each rule is the named cause of."""
        causes = self.refused()["cause"]
        counts = {rule.id: int((causes == k).sum()) for k, rule in enumerate(self.rules)}
        by_hand = int((causes == COMMAND).sum())
        return {**counts, **({"(paused by a person)": by_hand} if by_hand else {})}

    def objections_by_rule(self) -> dict[str, int]:
        """Number of orders and modifies that each rule objects to, named cause or not."""
        masks = self.rows["mask"][np.isin(self.rows["code"], (*REFUSALS, Decision.ALERTED))]
        return {rule.id: int(((masks >> k) & 1).sum()) for k, rule in enumerate(self.rules)}

    def halted_ns(self) -> dict[str, int]:
        """Nanoseconds in which each rule held a key, summed over its keys, up to the last event."""
        last = int(self.log.columns["ts"].max()) if len(self.log) else 0
        total = dict.fromkeys((rule.id for rule in self.rules), 0)
        open_until: dict[tuple[int, int], tuple[int, int]] = {}
        ts = self.log.columns["ts"]
        for row in self.transitions():
            place = (int(row["cause"]), int(row["key"]))
            now = int(ts[row["seq"]])
            begun = open_until.pop(place, None)
            if begun is not None:
                total[self.rules[place[0]].id] += min(begun[1], now) - begun[0]
            if row["code"] == Decision.TRIP:
                open_until[place] = (now, int(row["until"]))
        for (cause, _), (begun_at, until) in open_until.items():
            total[self.rules[cause].id] += max(min(until, last) - begun_at, 0)
        return total

    def to_frame(self) -> pd.DataFrame:
        """The rows with labels and words."""
        import pandas as pd

        rows, log = self.rows, self.log
        names = [rule.id for rule in self.rules]
        accounts = [account.id for account in log.universe.accounts]
        account = log.columns["account"][rows["seq"]]
        until = pd.to_datetime(
            np.where((rows["until"] == NEVER) | (rows["until"] == 0), np.iinfo(np.int64).min, rows["until"]), utc=True
        )
        frame = pd.DataFrame(
            {
                "seq": rows["seq"],
                "ts": pd.to_datetime(log.columns["ts"][rows["seq"]], utc=True),
                "account": [accounts[a] if a >= 0 else "" for a in account],
                "decision": [DECISION_WORDS[Decision(code)] for code in rows["code"]],
                "rule": [names[c] if c >= 0 else "" for c in rows["cause"]],
                "objecting": [self._names(mask) for mask in rows["mask"]],
                "observed": rows["observed"],
                "limit": rows["limit"],
                "until": until,
            }
        )
        return frame.set_index("seq")

    def _names(self, mask: int) -> str:
        return ", ".join(rule.id for k, rule in enumerate(self.rules) if (int(mask) >> k) & 1)

    def explain(self, seq: int) -> str:
        """Say in words what became of one event and why.

        Raises
        ------
        InputError
            Where the log has no such event.
        """
        if not 0 <= seq < len(self.log):
            raise InputError(f"seq={seq!r} is not an event of this log; it has 0 to {len(self.log) - 1}")
        event = self.log.to_frame_row(seq)
        found = self.rows[self.rows["seq"] == seq]
        if not len(found):
            return f"{event}: passed; no rule objected."
        parts = []
        for row in found:
            words = DECISION_WORDS[Decision(int(row["code"]))]
            cause = self.rules[int(row["cause"])] if row["cause"] >= 0 else None
            text = words + (f" by {cause.id}" if cause is not None else "")
            if row["code"] in (Decision.OBJECT, Decision.ALERTED):
                text += f" (observed {int(row['observed']):,}, limit {int(row['limit']):,} in the rule's units)"
            if row["until"] == NEVER:
                text += ", until a person resets it"
            elif row["until"]:
                import pandas as pd

                text += f", until {pd.Timestamp(int(row['until']), tz='UTC')}"
            others = [
                name for name in self._names(row["mask"]).split(", ") if name and (cause is None or name != cause.id)
            ]
            text += (
                f"; {', '.join(others)} object{'s' if len(others) == 1 else ''} too"
                if others and cause is not None
                else ""
            )
            parts.append(text)
        return f"{event}: {'; '.join(parts)}."

    # ------------------------------------------------------------------ money

    def accounts(self) -> pd.DataFrame:
        """The accounts at the end: cash, value, profit, realised, fees, deepest fall of profit; in money."""
        import pandas as pd

        table = self.state.accounts[1:]
        money = float(self.log.universe.quantum)
        equity = np.where(table["has_given"] != 0, table["given"], table["cash"] + table["value"])
        frame = pd.DataFrame(
            {
                "cash": table["cash"] * money,
                "value": table["value"] * money,
                "equity": equity * money,
                "profit": (equity - table["flows"]) * money,
                "realised": table["realised"] * money,
                "fees": table["fees"] * money,
                "drawdown": table["drawdown"] * money,
            },
            index=pd.Index([account.id for account in self.log.universe.accounts], name="account"),
        )
        return frame

    def positions(self) -> pd.DataFrame:
        """The positions at the end: quantity, cost and value."""
        import pandas as pd

        table, universe = self.state.positions[1:], self.log.universe
        lots = np.array([float(i.lot) for i in universe.instruments] + [0.0])
        money = float(universe.quantum)
        index = pd.MultiIndex.from_arrays(
            [
                [universe.accounts[a].id for a in table["account"]],
                [universe.instruments[i].id for i in table["instrument"]],
            ],
            names=["account", "instrument"],
        )
        columns = {
            "qty": table["qty"] * lots[table["instrument"]],
            "cost": table["cost"] * money,
            "value": table["value"] * money,
        }
        return pd.DataFrame(columns, index=index)

    def equity(self) -> pd.DataFrame:
        """Equity of every account at the sampled times (``sample_ns``), in money; empty if none were asked for."""
        import pandas as pd

        return pd.DataFrame(
            self._sampled * float(self.log.universe.quantum),
            index=pd.DatetimeIndex(pd.to_datetime(self._sample_at, utc=True), name="ts"),
            columns=pd.Index([account.id for account in self.log.universe.accounts], name="account"),
        )

    def counts(self) -> dict[str, int]:
        """What the loop counted besides decisions."""
        return {
            name.lower(): int(self.state.counts[counter])
            for name, counter in Counter.__members__.items()
            if Counter.ERRORS_TS <= counter <= Counter.CANCELLED
        }

    # ------------------------------------------------------------------ showing

    def summary(self) -> dict[str, Any]:
        """The answer in one dict of Python numbers and texts."""
        kinds = self.log.counts()
        return {
            "mode": self.mode,
            "events": len(self.log),
            "orders": kinds.get(Kind.ORDER.name, 0),
            "refused": len(self.refused()),
            "refusals_by_rule": self.refusals_by_rule(),
            "halted_ns": self.halted_ns(),
            **self.counts(),
            "profit": float(self.accounts()["profit"].sum()),
            "digest": self.digest,
        }

    def _title(self) -> str:
        return f"Replay in {self.mode} mode"

    def _rows(self) -> list[Row]:
        found = self.summary()
        rows: list[Row] = [
            ("events", found["events"], ""),
            ("orders", found["orders"], ""),
            ("refused", found["refused"], ""),
        ]
        rows += [(f"  by {name}", count, "") for name, count in found["refusals_by_rule"].items()]
        rows += [
            (f"held by {name}", count / 3.6e12, "account-hours") for name, count in found["halted_ns"].items() if count
        ]
        rows += [(name.replace("_", " "), count, "") for name, count in self.counts().items() if count]
        rows.append(("profit", found["profit"], self.log.universe.currency))
        rows.append(("digest", found["digest"][:16], "..."))
        if self.mode == "enforce":
            rows.append(("note", NOTE, ""))
        return rows


def digest_of(
    universe_hash: bytes,
    event_hash: bytes,
    rules: RuleSet,
    mode: str,
    options: dict[str, str],
    calendars: Calendars,
    decisions: Chain,
) -> str:
    """Seal what came in, under which rules and days, and what was decided."""
    days = [list(calendars.zones), calendars.bounds.tolist()]
    head = hash_plain([mode, options, days])
    return seal(universe_hash, event_hash, rules.hash, head, decisions.digest())
