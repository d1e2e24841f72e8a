"""New days: calendars, samples of equity and bars at their times."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import gathered, owner_book, total_book
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import covariance_state as covariance
from riskkit.replay.kernels import runtime
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.constants import NEVER


def turn_over(forced):
    """Advance calendars, samples and bars to `now`, start new days of rules; return the next time at which one is due.

    With `forced` (a SESSION event) every day is over.
    """
    global book
    if shape.samples:
        sample = counts[Counter.SAMPLE]
        while sample < counts[Counter.SAMPLES] and now >= sample_at[sample]:
            for a in range(0 if shape.netted else counts[Counter.ACCOUNTS]):
                sampled[sample * counts[Counter.ACCOUNTS] + a] = ledger.equity(at(accounts, a))
                sampled[(counts[Counter.SAMPLES] + sample) * counts[Counter.ACCOUNTS] + a] = ledger.paid_in(
                    at(accounts, a)
                )
            for t in range(counts[Counter.TOTALS]):
                sums.sample_total(at(totals, t), paths, (sample * counts[Counter.TOTALS] + t) * sums.WIDTH)
            sample += 1
        counts[Counter.SAMPLE] = sample
    soonest = NEVER
    turned = 0  # one bit per calendar
    if shape.amends and forced != 0:
        counts[Counter.SESSION_ROW] = i
    for calendar in range(counts[Counter.CALENDARS]):
        clock = at(clocks, calendar)
        if forced != 0:
            turned |= 1 << calendar
        while now >= clock.end:
            turned |= 1 << calendar
            clock.start = clock.end
            clock.place += 1
            clock.end = bounds[clock.place] if clock.place < clock.stop else NEVER
        soonest = min(soonest, clock.end)
    if shape.samples and sample < counts[Counter.SAMPLES]:
        soonest = min(soonest, sample_at[sample])
    for rule in shape.turning:
        if (turned >> rule.terms.calendar) & 1:
            for key in range(rule.n_keys):
                rule.state = at(rule.states, key)
                if rule.can_pause and forced != 0 and rule.terms.pause_end == runtime.UNTIL_SESSION:
                    rule.state.held_until = 0
                if rule.gathers and rule.has("on_new_day"):
                    if gathered(rule, key, -1, MISSING) == 0:
                        rule.on_new_day(book=total_book(rule))
                else:
                    if "book" in rule.arguments("on_new_day"):
                        book = owner_book(rule, key)
                    if rule.has("on_new_day"):
                        rule.on_new_day()
    for rule in shape.gauging:
        soonest = min(soonest, close_bar(rule, 0))
    return soonest


def close_bar(rule, forced):
    """Close a covariance's bar if its time is over, or at a CLOCK event (`forced` 1); return the end of the next bar."""
    return covariance.pass_time(now, forced, rule.params, rule.states, rule.n_keys, instruments, memory, reals)
