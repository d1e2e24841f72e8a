"""A scenario cube on disk summed by a tree, and a book of options revalued, beside numpy in memory; equality first."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from benchmarks._bench import Row, best
from riskkit.instruments import OptionBook
from riskkit.stress import ScenarioCube

SCENARIOS, POSITIONS, DESKS = 20_000, 1_000, 50


def rows() -> Iterator[Row]:
    """Sums from disk beside sums in memory; prices beside prices."""
    rng = np.random.default_rng(0)
    pnl = rng.standard_normal((SCENARIOS, POSITIONS))
    names = [f"p{i}" for i in range(POSITIONS)]
    tree = {"firm": {f"desk {d}": names[d::DESKS] for d in range(DESKS)}}
    desks = [f"desk {i % DESKS}" for i in range(POSITIONS)]
    frame = pd.DataFrame(pnl, columns=names)
    with tempfile.TemporaryDirectory() as folder:
        cube = ScenarioCube.write(folder, (pnl[i : i + 1000] for i in range(0, SCENARIOS, 1000)), names)

        def in_memory() -> pd.DataFrame:
            return frame.T.groupby(desks, sort=False).sum().T

        np.testing.assert_allclose(cube.aggregate(tree)["desk 7"], in_memory()["desk 7"])
        mine, other = best(lambda: cube.aggregate(tree), in_memory, repeat=3)
        yield Row("cube of 20,000 x 1,000 on disk, 51 nodes", mine, other, "pandas groupby, all in memory", 1.0)

    spots = {f"s{i}": 100.0 for i in range(10)}
    table = pd.DataFrame(
        {
            "underlying": [f"s{i % 10}" for i in range(200)],
            "strike": rng.uniform(80.0, 120.0, 200),
            "years": rng.uniform(0.1, 2.0, 200),
            "volatility": rng.uniform(0.1, 0.4, 200),
            "quantity": rng.normal(0.0, 10.0, 200),
            "option": "call",
        }
    )
    book, moves = OptionBook(table, spots), 0.05 * rng.standard_normal((2_000, 10))
    strike, years, volatility = (table[name].to_numpy() for name in ("strike", "years", "volatility"))

    def price_alone() -> np.ndarray:
        def price(spot: np.ndarray) -> np.ndarray:
            d1 = np.log(spot / strike) / (volatility * np.sqrt(years)) + 0.5 * volatility * np.sqrt(years)
            return spot * norm.cdf(d1) - strike * norm.cdf(d1 - volatility * np.sqrt(years))

        later = 100.0 * (1.0 + moves[:, np.arange(200) % 10])
        return table["quantity"].to_numpy() * (price(later) - price(np.full(200, 100.0)))

    np.testing.assert_allclose(book.pnl(moves), price_alone(), atol=1e-9)
    mine, other = best(lambda: book.pnl(moves), price_alone, repeat=3)
    yield Row("200 options in 2,000 scenarios, revalued", mine, other, "scipy.stats.norm", 0.7)
