"""`MarketStream`: ticks to bars to returns to an EWMA covariance, over simulated and recorded data alike."""

import itertools
import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from naive import desk as naive

from riskkit import InputError, ewma_covariance, ewma_volatility, log_returns
from riskkit.desk import Bar, DeskLimits, MarketStream, RecordedBars, RecordedTicks, RiskManager, SimulatedTicks, Tick
from riskkit.desk.market.live_covariance import LiveCovariance

MINUTE = 60_000_000_000
PRICES = {"AAPL": 150.0, "TLT": 90.0, "GLD": 180.0}


def simulated(seed: int = 7, minutes: int = 60, **options) -> SimulatedTicks:
    return SimulatedTicks(PRICES, seed=seed, minutes=minutes, **options)


def rows(bar: Bar) -> dict:
    return {
        name: (bar.opens[name], bar.highs[name], bar.lows[name], bar.closes[name], bar.ticks[name])
        for name in bar.closes
    }


# ---------------------------------------------------------------------- simulated


def test_the_same_seed_gives_the_same_ticks_and_another_others():
    assert list(simulated()) == list(simulated()) != list(simulated(seed=8))
    feed = simulated()
    assert list(feed) == list(feed)
    stamps = [tick.timestamp for tick in feed]
    assert stamps == sorted(stamps) and max(stamps) < 60 * MINUTE and len(stamps) == 60 * 3 * 6


def test_simulated_ticks_have_the_volatility_and_correlation_that_were_asked_for():
    feed = simulated(minutes=2_000, volatility={"AAPL": 0.02, "TLT": 0.01, "GLD": 0.03}, correlation=0.6)
    stream = MarketStream(feed, keep=2_000)
    stream.run()
    moves = log_returns(stream.to_frame()[list(PRICES)])
    daily = np.sqrt((moves**2).mean() * 390)
    np.testing.assert_allclose(daily, [0.02, 0.01, 0.03], rtol=0.06)
    np.testing.assert_allclose(moves.corr().to_numpy()[np.triu_indices(3, 1)], 0.6, atol=0.05)


@pytest.mark.parametrize(
    "options",
    [
        {"volatility": -1.0},
        {"volatility": {"AAPL": 0.1}},
        {"correlation": 1.0},
        {"ticks_per_minute": 0},
        {"minutes": -1},
        {"seed": "x"},
        {"seed": -1},
    ],
)
def test_simulations_that_make_no_sense_are_refused(options):
    with pytest.raises(InputError):
        SimulatedTicks(PRICES, **{"seed": 1, **options})
    with pytest.raises(InputError, match="prices"):
        SimulatedTicks({"A": math.nan}, seed=1)


# ---------------------------------------------------------------------- bars


def test_bars_are_the_naive_ones():
    ticks = list(simulated(minutes=30, ticks_per_minute=4))
    ticks = [tick for tick in ticks if tick.timestamp // MINUTE % 7 and (tick.ticker != "TLT" or tick.timestamp % 3)]
    expected = naive.minute_bars(ticks, MINUTE)
    bars = list(MarketStream(ticks))
    assert [bar.timestamp for bar in bars] == [one["timestamp"] for one in expected]
    assert [rows(bar) for bar in bars] == [one["rows"] for one in expected]
    five = list(MarketStream(ticks, bar="5min"))
    assert [rows(bar) for bar in five] == [one["rows"] for one in naive.minute_bars(ticks, 5 * MINUTE)]


def test_a_tick_at_the_end_of_a_bar_belongs_to_the_next():
    bars = list(MarketStream([Tick(MINUTE - 1, "A", 1.0), Tick(MINUTE, "A", 2.0)]))
    assert [(bar.timestamp, bar.closes["A"]) for bar in bars] == [(MINUTE, 1.0), (2 * MINUTE, 2.0)]


def test_a_quiet_minute_is_no_bar_and_a_quiet_ticker_stays():
    stream = MarketStream([Tick(0, "A", 1.0), Tick(0, "B", 5.0), Tick(9 * MINUTE, "A", 2.0)])
    _, last = stream
    assert last.timestamp == 10 * MINUTE and rows(last)["B"] == (5.0, 5.0, 5.0, 5.0, 0)
    assert stream.returns == {"A": pytest.approx(math.log(2.0)), "B": 0.0}


def test_what_does_not_fit_is_counted_not_raised():
    good = [Tick(0, "A", 1.0), Tick(MINUTE, "A", 2.0)]
    bad = [
        Tick(5, "A", 1.5), Tick(MINUTE, "A", math.nan), Tick(MINUTE, "A", -1.0), Tick(MINUTE, "A", "2"), None,
        Tick(MINUTE, "", 2.0), Tick(1.5, "A", 2.0), Tick(MINUTE, "A", math.inf), Tick(MINUTE, "A", True),
    ]  # fmt: skip
    stream = MarketStream([*good, *bad, Tick(MINUTE + 1, "A", 3.0)])
    assert [bar.closes["A"] for bar in stream] == [1.0, 3.0]
    assert (
        stream.rejected == {"late": 1, "price": 5, "not a tick": 1, "ticker": 1, "timestamp": 1} and stream.ticks == 3
    )


def test_within_a_bar_time_decides_what_is_open_and_close():
    bar = next(MarketStream([Tick(5, "A", 1.0), Tick(9, "A", 2.0), Tick(3, "A", 3.0), Tick(7, "A", 0.5)]))
    assert rows(bar)["A"] == (3.0, 3.0, 0.5, 2.0, 4)


# ---------------------------------------------------------------------- returns and covariance


def test_log_returns_update_the_ewma_covariance():
    stream = MarketStream(simulated(), initial="first_nonzero_square")
    stream.run()
    moves = log_returns(stream.to_frame())
    batch = ewma_covariance(moves.to_numpy(), 0.94, "first_square")  # another order of sums
    np.testing.assert_allclose(stream.covariance.matrix, batch, rtol=1e-12)
    first = np.outer(moves.iloc[0], moves.iloc[0]).tolist()
    np.testing.assert_allclose(stream.covariance.matrix, naive.ewma(moves.to_numpy().tolist(), first, 0.94), rtol=1e-12)
    assert stream.returns == moves.iloc[-1].to_dict()


@pytest.mark.parametrize("decay", [0.94, 0.9982])
def test_no_bar_weighs_more_than_a_later_one(decay):
    stream = MarketStream(simulated(), decay=decay)
    seen = []
    for bar in stream:
        seen.append(bar)
        if len(seen) > 1:
            moves = log_returns(pd.DataFrame([past.closes for past in seen]).to_numpy())
            np.testing.assert_allclose(stream.covariance.matrix, naive.weighted(moves.tolist(), decay), rtol=1e-10)
            volatility = ewma_volatility(moves, decay, weighting="renormalized")
            np.testing.assert_allclose(np.sqrt(np.diag(stream.covariance.matrix)), volatility, rtol=1e-10)
    assert len(seen) == 60


def test_a_first_minute_that_jumps_does_not_stay():
    closes = 100.0 * np.exp(np.cumsum([0.0, 0.02, *([0.001, -0.001] * 194)]))  # a jump, then 388 quiet minutes
    bars = RecordedBars(pd.DataFrame({"A": closes}, index=[place * MINUTE for place in range(1, len(closes) + 1)]))
    found = {}
    for initial in ("renormalized", "first_nonzero_square", 1e-6):
        stream = MarketStream(bars, decay=0.5 ** (1 / 390), initial=initial)
        stream.run()
        found[initial] = math.sqrt(stream.covariance.matrix[0, 0])
    assert found["first_nonzero_square"] == pytest.approx(0.0142, abs=1e-4)  # ten times too much after a whole day
    assert found["renormalized"] == pytest.approx(0.0013, abs=1e-4)
    np.testing.assert_allclose(
        found[1e-6], naive.ewma([[m] for m in np.diff(np.log(closes))], [[1e-6]], 0.5 ** (1 / 390))[0][0] ** 0.5
    )


def test_tickers_that_come_at_different_times_are_weighted_by_their_own_bars():
    live, rng = LiveCovariance(0.99, "renormalized"), np.random.default_rng(3)
    past = pd.DataFrame(rng.normal(0.0, 0.01, (30, 1)), columns=["SEEDED"])
    live.seed(past)
    moves = rng.normal(0.0, 0.01, (40, 3))
    moves[:10, 1] = moves[:25, 2] = 0.0  # one is quiet for ten bars, one comes after 25
    for place, (seeded, quiet, late) in enumerate(moves.tolist()):
        live.step({"SEEDED": seeded, "QUIET": quiet, **({"LATE": late} if place >= 25 else {})})
    for column, first in ((1, 10), (2, 25)):
        expected = naive.weighted(moves[first:, [column]].tolist(), 0.99)[0][0]
        assert live.matrix[column, column] == pytest.approx(expected)
    alone = LiveCovariance(0.99)
    alone.seed(past)
    for move in moves[:, 0].tolist():
        alone.step({"SEEDED": move})
    assert live.matrix[0, 0] == pytest.approx(alone.matrix[0, 0])
    both = naive.weighted(moves[25:, [1, 2]].tolist(), 0.99)[0][1]  # the younger of the two says since when
    assert live.matrix[1, 2] == pytest.approx(both * math.sqrt((1 - 0.99**15) / (1 - 0.99**30)))
    assert np.linalg.eigvalsh(live.matrix).min() > 0.0


def test_a_seeded_still_ticker_begins_with_its_first_move():
    live = LiveCovariance(0.9, "renormalized")
    live.seed(pd.DataFrame({"A": [0.01, -0.02], "B": [0.0, 0.0]}))
    live.step({"A": 0.01, "B": 0.03})
    assert live.matrix[1, 1] == pytest.approx(0.03**2)
    live.add("C", volatility=0.02)
    live.step({"C": 0.0})
    assert live.matrix[2, 2] == pytest.approx(0.9 * 0.02**2)


def test_recorded_ticks_and_bars_give_what_the_live_stream_gave():
    live = MarketStream(simulated())
    bars = list(live)
    ticks = pd.DataFrame(list(simulated())).assign(timestamp=lambda frame: pd.to_datetime(frame.timestamp, utc=True))
    long = pd.concat([bar.to_frame().reset_index().assign(timestamp=bar.timestamp) for bar in bars])
    for feed in (RecordedTicks(ticks), RecordedBars(long), RecordedBars(live.to_frame())):
        again = MarketStream(feed)
        closes = [bar.closes for bar in again]
        assert closes == [bar.closes for bar in bars]
        np.testing.assert_array_equal(again.covariance.matrix, live.covariance.matrix)
    assert list(MarketStream(RecordedBars(long))) == bars


def test_a_live_feed_is_one_small_class():
    class Live:
        def __init__(self, messages):
            self.messages = messages

        def __iter__(self):
            for message in self.messages:
                yield Tick(message["t"], message["s"], message["p"])

    messages = [{"t": tick.timestamp, "s": tick.ticker, "p": tick.price} for tick in simulated()]
    assert list(MarketStream(Live(messages))) == list(MarketStream(simulated()))


def test_a_stream_in_pieces_is_the_whole_stream():
    whole, pieces = MarketStream(simulated()), MarketStream(simulated())
    whole.run()
    assert [pieces.run(bars=count) for count in (1, 20, 0, 100)] == [1, 20, 0, 39]
    np.testing.assert_array_equal(pieces.covariance.matrix, whole.covariance.matrix)
    assert list(pieces.bars) == list(whole.bars) and pieces.count == 60


def test_bars_and_ticks_may_follow_each_other_and_late_bars_are_refused():
    prices = {"A": 2.0}
    bar = Bar(2 * MINUTE, prices, prices, prices, prices, {"A": 1})
    stream = MarketStream([Tick(0, "A", 1.0), bar, bar, Tick(MINUTE, "A", 9.0), Tick(2 * MINUTE, "A", 3.0)])
    assert [bar.closes["A"] for bar in stream] == [1.0, 2.0, 3.0]
    assert stream.rejected == {"late": 2}


def test_the_stream_drives_a_manager():
    manager = RiskManager(100_000, limits=DeskLimits(var_limit=2_000.0))
    stream = MarketStream(simulated(), initial="first_nonzero_square")  # as the manager's own, without a warm-up
    assert stream.run(manager.on_bar) == 60
    np.testing.assert_array_equal(manager._risk.covariance.matrix, stream.covariance.matrix)
    assert manager.get_market_data().price.to_dict() == stream.closes
    assert manager.execute_trade("AAPL", 100, "buy", timestamp=60 * MINUTE).approved
    assert manager.get_dashboard_metrics().timestamp == 60 * MINUTE


def test_memory_stays_flat_and_the_history_is_bounded():
    stream = MarketStream(SimulatedTicks(PRICES, seed=1), keep=20)
    stream.run(bars=200)
    tracemalloc.start()
    stream.run(bars=100)
    first = tracemalloc.get_traced_memory()[0]
    stream.run(bars=300)
    assert tracemalloc.get_traced_memory()[0] - first < 20_000
    tracemalloc.stop()
    assert len(stream.bars) == 20 and stream.count == 600


def test_streams_and_recordings_that_make_no_sense_are_refused():
    for make in (
        lambda: MarketStream([], bar="0s"),
        lambda: MarketStream([], decay=1.5),
        lambda: MarketStream([], keep=0),
        lambda: MarketStream([], initial="backcast"),
        lambda: MarketStream([], initial=0.0),
        lambda: RecordedTicks(pd.DataFrame({"timestamp": [1], "price": [1.0]})),
        lambda: RecordedTicks(pd.DataFrame({"timestamp": ["?"], "ticker": ["A"], "price": [1.0]})),
        lambda: RecordedBars([1.0]),
        lambda: RecordedBars(pd.DataFrame({"A": [1.0, math.nan]}, index=[1, 2])),
        lambda: RecordedBars(pd.DataFrame({"ticker": ["A"], "timestamp": [1]})),
        lambda: list(RecordedBars(pd.DataFrame({"A": [-1.0]}, index=[1]))),
        lambda: list(RecordedBars(pd.DataFrame({"A": [1.0]}, index=["?"]))),
    ):
        with pytest.raises(InputError):
            make()


def test_a_stream_prints_and_draws():
    stream = MarketStream(itertools.chain(simulated(minutes=3), [None]))
    stream.run()
    assert "1 not a tick" in repr(stream) and "<table>" in stream._repr_html_()
    assert len(stream.plot().lines) == 3 and "AAPL" in repr(stream.bars[0])
    assert MarketStream([]).to_frame().empty and MarketStream([]).plot() is not None
    assert Bar.from_dict(stream.bars[0].to_dict()) == stream.bars[0]


def test_a_draft_of_a_covariance_changes_and_the_covariance_does_not():
    covariance = LiveCovariance(decay=0.94)
    covariance.seed(pd.DataFrame({"A": [0.01, -0.02, 0.015], "B": [0.0, 0.01, -0.01]}))
    before, draft = covariance.matrix.copy(), covariance.draft()
    draft.seed(pd.DataFrame({"C": [0.05, -0.04, 0.03]}))
    assert list(draft.index) == ["C"] and list(covariance.index) == ["A", "B"]
    assert np.array_equal(covariance.matrix, before)
