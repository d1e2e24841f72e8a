"""Many trades or many portfolios at once: the answers of `validate` and `evaluate`, to the bit, as columns.

Trades of a batch are judged one by one against the same positions, not one after the other: what would each do?
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import finite_array, positive, returns_array
from riskkit._jit import kernel
from riskkit._show import Row, Shown
from riskkit.desk.fields import Problem, RequestError, as_side, as_time, checked
from riskkit.desk.limits import Limits, limits_of
from riskkit.desk.portfolio.evaluation import Evaluation, evaluate, fall_of
from riskkit.desk.portfolio.holdings import Positions, positions_of
from riskkit.desk.portfolio.risk_state import RiskState
from riskkit.desk.portfolio.validation import APPROVED, NEAR, Trade, Validation, size_sentence, trade_var, validate
from riskkit.performance import risk_score

__all__ = ["Validations", "evaluate_batch", "validate_batch"]

PASSED, TOO_LARGE, TOO_DEEP, CLOSE = 0, 1, 2, 3
COLUMNS = ("ticker", "side", "quantity", "price")


@dataclass(frozen=True, repr=False, eq=False)
class Validations(Shown):
    """Answers to a batch of trades, one entry a trade; `answer(i)` is the one that `validate` gives.

    Examples
    --------
    >>> trades = {"ticker": ["A", "B"], "side": [1, 1], "quantity": [1.0, 9.0], "price": [10.0, 10.0]}
    >>> validate_batch(trades, {}, 100.0).to_frame()["approved"].tolist()
    [True, False]
    """

    tickers: Any
    """(n_trades,) as a pandas Categorical."""
    code: np.ndarray
    """(n_trades,) int8: 0 approved, 1 position too large, 2 drawdown too deep."""
    position_size_pct: np.ndarray
    """(n_trades,) of the position after the trade, in percent of the portfolio value."""
    estimated_drawdown: Any
    """In percent: a float, the same for all; with ``estimate="var"`` (n_trades,)."""
    risk_score: Any
    """Likewise; None without a drawdown limit."""
    portfolio_value: float
    limits: Limits
    index: Any = None
    timestamp: Any = None

    @property
    def approved(self) -> np.ndarray:
        """(n_trades,) of bool."""
        return self.code == PASSED

    def __len__(self) -> int:
        return len(self.code)

    def answer(self, place: int) -> Validation:
        """One trade's answer with its sentence."""
        code, percent = int(self.code[place]), float(self.position_size_pct[place])
        fall, score = _entry(self.estimated_drawdown, place), _entry(self.risk_score, place)
        reason = APPROVED
        if code == TOO_LARGE:
            size = percent * self.portfolio_value / 100.0
            reason = size_sentence(
                self.tickers[place], size, self.portfolio_value, self.limits.max_position_size or 0.0
            )
        elif code == TOO_DEEP:
            reason = f"estimated {fall_of(fall, self.limits.max_drawdown_limit)}"
        return Validation(code == PASSED, reason, score, percent, fall, self.timestamp)

    def to_frame(self) -> pd.DataFrame:
        """One row a trade: approved, reason (a word), risk_score, position_size_pct, estimated_drawdown."""
        words = pd.Categorical.from_codes(self.code, categories=[APPROVED, "position size", "drawdown"])  # type: ignore[call-overload]
        columns = {
            "approved": self.approved,
            "reason": words,
            "risk_score": self.risk_score,
            "position_size_pct": self.position_size_pct,
            "estimated_drawdown": self.estimated_drawdown,
        }
        return pd.DataFrame(columns, index=self.index)

    def _title(self) -> str:
        return "Trades, each against the same positions"

    def _rows(self) -> list[Row]:
        count = np.bincount(self.code, minlength=3)
        several = isinstance(self.risk_score, np.ndarray)
        score = self.risk_score.max(initial=0.0) if several else self.risk_score
        return [
            ("trades", len(self), ""),
            ("approved", int(count[PASSED]), ""),
            ("too large", int(count[TOO_LARGE]), "positions"),
            ("too deep", int(count[TOO_DEEP]), "drawdown"),
            ("highest risk score" if several else "risk score", score, "of the drawdown limit"),
        ]


def validate_batch(
    trades: Any,
    current_positions: Any,
    portfolio_value: float,
    max_position_size: float = 0.40,
    max_drawdown_limit: float = 10.0,
    *,
    limits: Limits | None = None,
    state: RiskState | None = None,
    estimate: str = "current",
    returns: Any = None,
    volatility: Any = None,
    timestamp: Any = None,
) -> Validations:
    """`validate` for many trades, each by itself against the same positions.

    Parameters
    ----------
    trades : DataFrame or mapping of arrays
        Columns ticker (texts, fastest as a Categorical), side (+1 and -1 are fastest), quantity and price, and value
        where it is stated.
    current_positions, portfolio_value, max_position_size, max_drawdown_limit, limits, state, estimate, timestamp
        As in `validate`.
    returns : DataFrame (n_obs, n_tickers) or mapping, optional
        With ``estimate="var"``: simple daily returns by ticker.
    volatility : Series or mapping, optional
        Instead: daily volatilities by ticker.

    Returns
    -------
    Validations

    Raises
    ------
    RequestError
        As `validate`; the sentence names the row.

    Examples
    --------
    >>> trades = {"ticker": ["AAPL", "TLT"], "side": [1, -1], "quantity": [100.0, 5.0], "price": [150.0, 90.0]}
    >>> validate_batch(trades, {"AAPL": 30_000.0}, 100_000.0).to_frame()[["approved", "reason", "position_size_pct"]]
       approved         reason  position_size_pct
    0     False  position size              45.00
    1      True       approved               0.45
    """
    held = positions_of(current_positions, "current_positions")
    value = checked(positive, portfolio_value, "portfolio_value")
    limits = Limits(max_position_size, max_drawdown_limit) if limits is None else limits_of(limits)
    if timestamp is not None:
        checked(as_time, timestamp, "timestamp")
    tickers, side, quantity, price = _columns(trades)
    fall: Any = 0.0 if state is None else state.current_drawdown
    most = math.inf if limits.max_position_size is None else limits.max_position_size
    money = np.array([held[ticker] for ticker in tickers.categories])
    code, percent = np.empty(len(side), np.int8), np.empty(len(side))
    codes = np.require(tickers.codes, np.int32)
    near, far = NEAR * most * value, most * value / NEAR
    look, fits = measure(codes, side, quantity, price, money, value, near, code, percent)
    if not fits:
        _refuse(tickers, side, quantity, price)
    _check_stated(trades, quantity, price)
    per_ticker = estimate, returns, volatility
    if estimate != "current":
        fall = fall + 100.0 * _trade_vars(tickers, side, quantity * price, *per_ticker) / value
    deepest = limits.max_drawdown_limit
    deep = np.broadcast_to(False if deepest is None else fall > deepest, len(code))
    if look or deep.any():
        judge(codes, side, quantity, price, money, near, far, deep.copy(), code)
        close = np.flatnonzero(code == CLOSE)
        _decide_exactly(close, tickers, side, quantity, price, held, value, limits, state, per_ticker, code)
    score = None
    if deepest is not None:
        score = np.clip(fall / deepest, 0.0, 1.0) if isinstance(fall, np.ndarray) else risk_score(fall, deepest)
    return Validations(tickers, code, percent, fall, score, value, limits, getattr(trades, "index", None), timestamp)


def evaluate_batch(
    positions: Any,
    portfolio_values: Any,
    history: Any = None,
    timestamp: Any = None,
    *,
    max_position_size: float = 0.40,
    max_drawdown_limit: float = 10.0,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """`evaluate` for many portfolios: one row each, with the fields of `Evaluation`.

    Parameters
    ----------
    positions : DataFrame (n_portfolios, n_tickers)
        Money; a row a portfolio, a column a ticker.
    portfolio_values : (n_portfolios,) or Series
        Money, above zero.
    history : (n_obs, n_portfolios), optional
        Portfolio values before, a day apart, oldest first, one column a portfolio.
    timestamp, max_position_size, max_drawdown_limit, limits
        As in `evaluate`.

    Returns
    -------
    DataFrame
        Indexed by the rows of `positions`.

    Raises
    ------
    RequestError
        As `evaluate`, and shapes that do not fit.

    Examples
    --------
    >>> positions = pd.DataFrame({"AAPL": [30.0, 60.0], "TLT": [40.0, 40.0]}, index=["one", "two"])
    >>> evaluate_batch(positions, [100.0, 100.0], [[100.0, 125.0]])[["drawdown", "approved"]]
         drawdown  approved
    one       0.0      True
    two      20.0     False
    """
    if not isinstance(positions, pd.DataFrame):
        raise RequestError([Problem("positions", "positions have no tickers; give a DataFrame with a column for each")])
    table = checked(lambda value, name: finite_array(value, name, ndim=2), positions, "positions")
    values = checked(lambda value, name: finite_array(value, name, ndim=1), portfolio_values, "portfolio_values")
    past = None if history is None else checked(returns_array, history, "history")
    if len(values) != len(table) or (past is not None and past.shape[1:] != (len(table),)):
        shapes = f"{values.shape} and history {None if past is None else past.shape}"
        message = (
            f"portfolio_values has shape {shapes} for {len(table)} portfolios; give one number and one column each"
        )
        raise RequestError([Problem("portfolio_values", message)])
    limits = Limits(max_position_size, max_drawdown_limit) if limits is None else limits_of(limits)
    answers = []
    for row, value in enumerate(values):
        held = Positions._trusted(values=dict(zip(map(str, positions.columns), table[row].tolist(), strict=True)))
        curve = None if past is None else past[:, row]
        answers.append(evaluate(held, float(value), curve, timestamp, limits=limits))
    fields: Sequence[str] = tuple(Evaluation._checks)
    return pd.DataFrame({name: [getattr(answer, name) for answer in answers] for name in fields}, index=positions.index)


@kernel
def measure(codes, side, quantity, price, held, value, near, code, percent):
    """Fill `percent`, and `code` with 1 where a size needs a second look; return how many do, and whether all rows fit.

    No branch in the loop: this is what makes it a nanosecond or two a trade.
    """
    look = 0
    fits = True
    for i in range(len(codes)):
        worth = quantity[i] * price[i]
        size = abs(held[codes[i]] + side[i] * worth)
        percent[i] = 100.0 * size / value
        large = size >= near
        code[i] = large
        look += large
        fits &= (quantity[i] > 0.0) & (price[i] > 0.0) & (worth < np.inf)  # a NaN is not above 0
    return look, fits


@kernel
def judge(codes, side, quantity, price, held, near, far, deep, code):
    """Decide the trades whose size is near or beyond the limit (code 1), and all where the drawdown is too deep."""
    for i in range(len(codes)):
        if code[i] == 0 and not deep[i]:
            continue
        signed = side[i] * (quantity[i] * price[i])
        now = held[codes[i]]
        size = abs(now + signed)
        reduces = now * signed < 0.0 and abs(signed) <= abs(now)
        verdict = PASSED
        if not reduces:
            if size > far:
                verdict = TOO_LARGE
            elif size >= near:
                verdict = CLOSE
            elif deep[i]:
                verdict = TOO_DEEP
        code[i] = verdict


def _columns(trades: Any) -> tuple[pd.Categorical, np.ndarray, np.ndarray, np.ndarray]:
    if not isinstance(trades, (pd.DataFrame, Mapping)):
        raise RequestError([Problem("trades", f"trades came as {type(trades).__name__}; give a DataFrame or columns")])
    absent = [Problem(name, f"trades has no column {name!r}") for name in COLUMNS if name not in trades]
    if absent:
        raise RequestError(absent)
    tickers = trades["ticker"]
    tickers = tickers.array if isinstance(tickers, pd.Series) else tickers
    if not isinstance(tickers, pd.Categorical):
        tickers = pd.Categorical(np.asarray(tickers, dtype=object))
    texts = all(isinstance(ticker, str) and ticker.strip() for ticker in tickers.categories)
    if not texts or (tickers.codes < 0).any():
        raise RequestError([Problem("ticker", "ticker holds something that is not a text; name each trade's ticker")])
    quantity, price = _numbers(trades, "quantity"), _numbers(trades, "price")
    side = _signs(trades["side"])
    if not len(tickers) == len(side) == len(quantity) == len(price):
        raise RequestError([Problem("trades", "trades has columns of different lengths; give one entry a trade")])
    return tickers, side, quantity, price


def _numbers(trades: Any, name: str) -> np.ndarray:
    """A column as float64 that a kernel reads, without a copy where it is one; finiteness shows in the kernel."""
    values = np.asarray(trades[name])
    if values.dtype.kind not in "iuf" or values.ndim != 1:
        values = checked(lambda value, field: finite_array(value, field, ndim=1), values, name)
    return np.require(values, np.float64, ["C", "W"])


def _signs(sides: Any) -> np.ndarray:
    values = np.asarray(sides)
    if values.dtype == np.int8 and values.ndim == 1 and (np.abs(values) == 1).all():
        return np.require(values, requirements=["C", "W"])
    codes, words = pd.factorize(values)
    signs = [1 if checked(as_side, word, "side") == "buy" else -1 for word in map(_word, words)]
    if (codes < 0).any():
        raise RequestError(
            [Problem("side", f"side is missing in row {int(np.argmax(codes < 0))}; use 'buy' or 'sell'")]
        )
    return np.array(signs, np.int8)[codes]


def _word(value: Any) -> Any:
    return int(value) if isinstance(value, (float, np.floating)) and float(value).is_integer() else value


def _refuse(tickers: Any, side: np.ndarray, quantity: np.ndarray, price: np.ndarray) -> None:
    """Say of the first bad row what `Trade` says of a trade."""
    row = int(np.argmin((quantity > 0.0) & (price > 0.0) & (quantity * price < np.inf)))
    try:
        Trade(tickers[row], int(side[row]), float(quantity[row]), float(price[row]))  # type: ignore[arg-type]
    except RequestError as error:
        raise RequestError([Problem(p.field, f"row {row}: {p.message}") for p in error.problems]) from None


def _check_stated(trades: Any, quantity: np.ndarray, price: np.ndarray) -> None:
    if "value" not in trades:
        return
    stated = checked(lambda value, name: finite_array(value, name, ndim=1), trades["value"], "value")
    if len(stated) != len(quantity):
        raise RequestError([Problem("value", f"value has {len(stated)} entries for {len(quantity)} trades")])
    wrong = np.abs(stated - quantity * price) > 1e-9 * np.maximum(np.abs(stated), quantity * price)
    if wrong.any():
        row = int(np.argmax(wrong))
        message = f"row {row}: value={float(stated[row])!r} is not quantity x price; leave it out or mend it"
        raise RequestError([Problem("value", message)])


def _trade_vars(
    tickers: Any, side: np.ndarray, worth: np.ndarray, estimate: str, returns: Any, volatility: Any
) -> np.ndarray:
    """One-day VaR of each trade by itself, in money.

    VaR of a trade is its money times that of one unit, to the bit: the historical one is an observation, and which one
    does not change with the size.
    """
    bought, sold = np.zeros(len(tickers.categories)), np.zeros(len(tickers.categories))
    for place in np.unique(tickers.codes).tolist():
        ticker = tickers.categories[place]
        given = estimate, _of_ticker(returns, ticker, "returns"), _of_ticker(volatility, ticker, "volatility")
        bought[place] = trade_var(Trade(ticker, "buy", 1.0, 1.0), *given)
        sold[place] = trade_var(Trade(ticker, "sell", 1.0, 1.0), *given)
    return worth * np.where(side > 0, bought[tickers.codes], sold[tickers.codes])


def _of_ticker(table: Any, ticker: str, name: str) -> Any:
    if table is None:
        return None
    if not isinstance(table, (pd.DataFrame, pd.Series, Mapping)):
        raise RequestError([Problem(name, f"{name} came as {type(table).__name__}; give them by ticker")])
    if ticker not in table:
        raise RequestError([Problem(name, f"{name} has no {ticker!r}; give one for each ticker")])
    return table[ticker]


def _entry(values: Any, place: int) -> Any:
    """A trade's own of several, or the one that all have."""
    return float(values[place]) if isinstance(values, np.ndarray) else values


def _decide_exactly(rows, tickers, side, quantity, price, held, value, limits, state, per_ticker, code) -> None:  # type: ignore[no-untyped-def]
    """Ask `validate` itself about the few trades whose size is so close to the limit that a float cannot tell."""
    estimate, returns, volatility = per_ticker
    for row in rows.tolist():
        ticker = tickers[row]
        trade = Trade(ticker, int(side[row]), float(quantity[row]), float(price[row]))  # type: ignore[arg-type]
        own = {}
        if estimate != "current":
            own = {"returns": _of_ticker(returns, ticker, "returns")}
            own["volatility"] = _of_ticker(volatility, ticker, "volatility")
        answer = validate(trade, held, value, limits=limits, state=state, estimate=estimate, **own)
        code[row] = PASSED if answer.approved else TOO_DEEP if answer.reason.startswith("estimated") else TOO_LARGE
