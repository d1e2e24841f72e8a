"""Many trades or many portfolios at once: the answers of `validate` and `evaluate`, to the bit, as columns.

Each trade of a batch is checked against the same positions, not against those that the trades before it leave.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import finite_array, observations, positive
from riskkit._jit import kernel
from riskkit._show import Row, Shown
from riskkit.desk.core.limits import DeskLimits, chosen_limits
from riskkit.desk.core.pre_trade_check import APPROVED, PreTradeCheck
from riskkit.desk.core.records import Problem, RequestError, as_side, as_time, checked
from riskkit.desk.portfolio.evaluation import NEAR, Evaluation, drawdown_sentence, evaluate, size_sentence
from riskkit.desk.portfolio.position_values import PositionValues, position_values
from riskkit.desk.portfolio.risk_state import RiskState
from riskkit.desk.portfolio.validation import TradeRequest, trade_var, validate
from riskkit.performance import risk_score

PASSED, TOO_LARGE, TOO_DEEP, CLOSE = 0, 1, 2, 3
REASONS = ["approved", "position size", "drawdown"]
COLUMNS = ("ticker", "side", "quantity", "price")


@dataclass(frozen=True, repr=False, eq=False)
class PreTradeChecks(Shown):
    """Answers to a batch of trades, one entry per trade; `answer(i)` equals the one of `validate`.

    Attributes
    ----------
    tickers
        (n_trades,) as a pandas Categorical.
    side
        (n_trades,) int8: 1 buys, -1 sells.
    quantity
        (n_trades,)
    price
        (n_trades,) money per unit.
    code
        (n_trades,) int8: 0 approved, 1 position too large, 2 drawdown too deep.
    position_size
        (n_trades,) of the position after the trade, as a fraction of the portfolio value.
    estimated_drawdown
        Fraction: a float for all; with ``estimate="var"`` (n_trades,).
    risk_score
        Fraction of the drawdown limit, in the same form; None without a limit.
    portfolio_value
        Money by which sizes are divided.
    limits
        The limits of the checks.
    index
        Labels of the trades; None: their numbers.
    timestamp
        Time of the answer, as given.

    Examples
    --------
    >>> trades = {"ticker": ["A", "B"], "side": [1, 1], "quantity": [1.0, 9.0], "price": [10.0, 10.0]}
    >>> validate_batch(trades, {}, 100.0).to_frame()["approved"].tolist()
    [True, False]
    """

    tickers: Any
    side: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    code: np.ndarray
    position_size: np.ndarray
    estimated_drawdown: Any
    risk_score: Any
    portfolio_value: float
    limits: DeskLimits
    index: Any = None
    timestamp: Any = None

    @property
    def approved(self) -> np.ndarray:
        """(n_trades,) of bool."""
        return self.code == PASSED

    def __len__(self) -> int:
        return len(self.code)

    def answer(self, row: int) -> PreTradeCheck:
        """The answer to one trade, with its sentence."""
        code, size = int(self.code[row]), float(self.position_size[row])
        drawdown = _entry(self.estimated_drawdown, row)
        reason = APPROVED
        if code == TOO_LARGE:
            reason = size_sentence(self.tickers[row], "would be", size, self.limits.max_position_size or 0.0)
        elif code == TOO_DEEP:
            reason = f"estimated {drawdown_sentence(drawdown, self.limits.max_drawdown)}"
        return PreTradeCheck(
            approved=code == PASSED,
            reason=reason,
            ticker=self.tickers[row],
            side="buy" if self.side[row] > 0 else "sell",
            quantity=float(self.quantity[row]),
            price=float(self.price[row]),
            position_size=size,
            estimated_drawdown=drawdown,
            risk_score=_entry(self.risk_score, row),
            timestamp=self.timestamp,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per trade: approved, reason (a word), risk_score, position_size, estimated_drawdown."""
        columns = {
            "approved": self.approved,
            "reason": pd.Categorical.from_codes(self.code, categories=REASONS),  # type: ignore[call-overload]
            "risk_score": self.risk_score,
            "position_size": self.position_size,
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
    limits: DeskLimits | None = None,
    state: RiskState | None = None,
    estimate: str = "current",
    returns: Any = None,
    volatility: Any = None,
    timestamp: Any = None,
) -> PreTradeChecks:
    """Check many trades as `validate` does, each against the same positions.

    Parameters
    ----------
    trades : DataFrame or mapping of arrays
        Columns ticker (texts, fastest as a Categorical), side (+1 and -1 are fastest), quantity, price, and
        optionally value.
    current_positions, portfolio_value, max_position_size, max_drawdown_limit, limits, state, estimate, timestamp
        As in `validate`.
    returns : DataFrame (n_obs, n_tickers) or mapping, optional
        With ``estimate="var"``: simple daily returns by ticker.
    volatility : Series or mapping, optional
        Instead: daily volatilities by ticker.

    Returns
    -------
    PreTradeChecks

    Raises
    ------
    RequestError
        As in `validate`; the sentence names the row.

    Examples
    --------
    >>> trades = {"ticker": ["AAPL", "TLT"], "side": [1, -1], "quantity": [100.0, 5.0], "price": [150.0, 90.0]}
    >>> validate_batch(trades, {"AAPL": 30_000.0}, 100_000.0).to_frame()[["approved", "reason", "position_size"]]
       approved         reason  position_size
    0     False  position size         0.4500
    1      True       approved         0.0045
    """
    held = position_values(current_positions, "current_positions")
    value = checked(positive, portfolio_value, "portfolio_value")
    limits = chosen_limits(limits, max_position_size, max_drawdown_limit)
    if timestamp is not None:
        checked(as_time, timestamp, "timestamp")
    tickers, side, quantity, price = _columns(trades)
    drawdown: Any = 0.0 if state is None else state.reading.current_drawdown
    max_size = math.inf if limits.max_position_size is None else limits.max_position_size
    money = np.array([held[ticker] for ticker in tickers.categories])
    code, size = np.empty(len(side), np.int8), np.empty(len(side))
    codes = np.require(tickers.codes, np.int32)
    near, far = NEAR * max_size * value, max_size * value / NEAR
    look, valid = measure(codes, side, quantity, price, money, value, near, code, size)
    if not valid:
        _refuse(tickers, side, quantity, price)
    _check_stated(trades, quantity, price)
    per_ticker = estimate, returns, volatility
    if estimate != "current":
        drawdown = drawdown + _trade_vars(tickers, side, quantity * price, *per_ticker) / value
    limit = limits.max_drawdown
    deep = np.broadcast_to(False if limit is None else drawdown > limit, len(code))
    if look or deep.any():
        decide(codes, side, quantity, price, money, near, far, deep.copy(), code)
        close = np.flatnonzero(code == CLOSE)
        _decide_exactly(close, tickers, side, quantity, price, held, value, limits, state, per_ticker, code)
    score = None
    if limit is not None:
        score = np.clip(drawdown / limit, 0.0, 1.0) if isinstance(drawdown, np.ndarray) else risk_score(drawdown, limit)
    index = getattr(trades, "index", None)
    return PreTradeChecks(tickers, side, quantity, price, code, size, drawdown, score, value, limits, index, timestamp)


def evaluate_batch(
    positions: Any,
    portfolio_values: Any,
    history: Any = None,
    timestamp: Any = None,
    *,
    max_position_size: float = 0.40,
    max_drawdown_limit: float = 10.0,
    limits: DeskLimits | None = None,
) -> pd.DataFrame:
    """Evaluate many portfolios: one row each, with the fields of `Evaluation`.

    Parameters
    ----------
    positions : DataFrame (n_portfolios, n_tickers)
        Money; one row per portfolio, one column per ticker.
    portfolio_values : (n_portfolios,) or Series
        Money, above zero.
    history : (n_obs, n_portfolios), optional
        Earlier portfolio values in money, a day apart, oldest first, one column per portfolio.
    timestamp, max_position_size, max_drawdown_limit, limits
        As in `evaluate`.

    Returns
    -------
    DataFrame
        Indexed by the rows of `positions`.

    Raises
    ------
    RequestError
        As in `evaluate`, and inconsistent shapes.

    Examples
    --------
    >>> positions = pd.DataFrame({"AAPL": [30.0, 60.0], "TLT": [40.0, 40.0]}, index=["first", "second"])
    >>> evaluate_batch(positions, [100.0, 100.0], [[100.0, 125.0]])[["drawdown", "approved"]]
            drawdown  approved
    first        0.0      True
    second       0.2     False
    """
    if not isinstance(positions, pd.DataFrame):
        raise RequestError([Problem("positions", "positions have no tickers; give a DataFrame with a column for each")])
    table = checked(lambda value, name: finite_array(value, name, ndim=2), positions, "positions")
    values = checked(lambda value, name: finite_array(value, name, ndim=1), portfolio_values, "portfolio_values")
    past = None if history is None else checked(partial(observations, ordered=True), history, "history")
    if len(values) != len(table) or (past is not None and past.shape[1:] != (len(table),)):
        shapes = f"{values.shape} and history {None if past is None else past.shape}"
        message = (
            f"portfolio_values has shape {shapes} for {len(table)} portfolios; give one number and one column each"
        )
        raise RequestError([Problem("portfolio_values", message)])
    limits = chosen_limits(limits, max_position_size, max_drawdown_limit)
    answers = []
    for row, value in enumerate(values):
        held = PositionValues._trusted(values=dict(zip(map(str, positions.columns), table[row].tolist(), strict=True)))
        curve = None if past is None else past[:, row]
        answers.append(evaluate(held, float(value), curve, timestamp, limits=limits))
    columns = {name: [getattr(answer, name) for answer in answers] for name in Evaluation._fields}
    return pd.DataFrame(columns, index=positions.index)


@kernel
def measure(
    codes: Any, side: Any, quantity: Any, price: Any, held: Any, value: Any, near: Any, code: Any, size: Any
) -> Any:
    """Fill `size`, and `code` with 1 where a size is near its limit; return how many are, and whether all rows are valid.

    Without a branch in the loop a trade takes one or two nanoseconds.
    """
    look = 0
    valid = True
    for i in range(len(codes)):
        worth = quantity[i] * price[i]
        money = abs(held[codes[i]] + side[i] * worth)
        size[i] = money / value
        large = money >= near
        code[i] = large
        look += large
        valid &= (quantity[i] > 0.0) & (price[i] > 0.0) & (worth < np.inf)  # a NaN is not above 0
    return look, valid


@kernel
def decide(
    codes: Any, side: Any, quantity: Any, price: Any, held: Any, near: Any, far: Any, deep: Any, code: Any
) -> None:
    """Decide the trades near or beyond the size limit (code 1), and all if the drawdown is too deep."""
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
        raise RequestError(
            [Problem("ticker", "ticker contains a value that is not a text; name the ticker of each trade")]
        )
    quantity, price = _numbers(trades, "quantity"), _numbers(trades, "price")
    side = _signs(trades["side"])
    if not len(tickers) == len(side) == len(quantity) == len(price):
        raise RequestError([Problem("trades", "trades has columns of different lengths; give one entry per trade")])
    return tickers, side, quantity, price


def _numbers(trades: Any, name: str) -> Any:
    """A column as float64 for a kernel, without a copy if it is one; the kernel checks that it is finite."""
    values = np.asarray(trades[name])
    if values.dtype.kind not in "iuf" or values.ndim != 1:
        values = checked(lambda value, field: finite_array(value, field, ndim=1), values, name)
    return np.require(values, np.float64, ["C", "W"])


def _signs(sides: Any) -> Any:
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
    """Raise the error of `TradeRequest` for the first invalid row."""
    row = int(np.argmin((quantity > 0.0) & (price > 0.0) & (quantity * price < np.inf)))
    try:
        TradeRequest(tickers[row], int(side[row]), float(quantity[row]), float(price[row]))  # type: ignore[arg-type]
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
        message = f"row {row}: value={float(stated[row])!r} is not quantity x price; omit it or correct it"
        raise RequestError([Problem("value", message)])


def _trade_vars(tickers: Any, side: np.ndarray, worth: np.ndarray, estimate: str, returns: Any, volatility: Any) -> Any:
    """One-day VaR of each trade by itself, in money.

    VaR of a trade is its value times that of one unit of money, to the bit: the historical VaR is one observation,
    the same one for every size.
    """
    bought, sold = np.zeros(len(tickers.categories)), np.zeros(len(tickers.categories))
    for code in np.unique(tickers.codes).tolist():
        ticker = tickers.categories[code]
        given = estimate, _of_ticker(returns, ticker, "returns"), _of_ticker(volatility, ticker, "volatility")
        bought[code] = trade_var(TradeRequest(ticker, "buy", 1.0, 1.0), *given)
        sold[code] = trade_var(TradeRequest(ticker, "sell", 1.0, 1.0), *given)
    return worth * np.where(side > 0, bought[tickers.codes], sold[tickers.codes])


def _of_ticker(table: Any, ticker: str, name: str) -> Any:
    if table is None:
        return None
    if not isinstance(table, (pd.DataFrame, pd.Series, Mapping)):
        raise RequestError([Problem(name, f"{name} came as {type(table).__name__}; give them by ticker")])
    if ticker not in table:
        raise RequestError([Problem(name, f"{name} has no {ticker!r}; give one for each ticker")])
    return table[ticker]


def _entry(values: Any, row: int) -> Any:
    """The entry of a row, or the one value of all rows."""
    return float(values[row]) if isinstance(values, np.ndarray) else values


def _decide_exactly(
    rows: Any,
    tickers: Any,
    side: Any,
    quantity: Any,
    price: Any,
    held: PositionValues,
    value: float,
    limits: DeskLimits,
    state: RiskState | None,
    per_ticker: tuple[str, Any, Any],
    code: Any,
) -> None:
    """Call `validate` for the few trades so close to the size limit that floats cannot decide."""
    estimate, returns, volatility = per_ticker
    for row in rows.tolist():
        ticker = tickers[row]
        trade = TradeRequest(ticker, int(side[row]), float(quantity[row]), float(price[row]))  # type: ignore[arg-type]
        options = {}
        if estimate != "current":
            options = {"returns": _of_ticker(returns, ticker, "returns")}
            options["volatility"] = _of_ticker(volatility, ticker, "volatility")
        answer = validate(trade, held, value, limits=limits, state=state, estimate=estimate, **options)
        code[row] = PASSED if answer.approved else TOO_DEEP if answer.reason.startswith("estimated") else TOO_LARGE
