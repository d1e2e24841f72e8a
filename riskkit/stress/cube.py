"""Scenario P&L cubes on disk: P&L by scenario and position, larger than memory, summed by any tree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import numpy as np

from riskkit._check import InputError, finite_array, one_of, whole_number
from riskkit._docs import counted
from riskkit._files import path_of, reading, remove_parts, whole_set
from riskkit._folder_lock import FolderLock
from riskkit._show import Row, Shown
from riskkit.pnl import membership

Precision = Literal["float64", "float32"]
PNL, LABELS = "pnl.bin", "labels.json"
BLOCK_BYTES = 64_000_000
"""Memory of a block of scenarios that is read."""
FEW = 200
"""Nodes up to which a dense product is faster than a sparse one."""


@dataclass(frozen=True, repr=False)
class ScenarioCube(Shown):
    """P&L by scenario and position, in a folder on disk.

    Attributes
    ----------
    folder : Path
        Holds `pnl.bin` (numbers row by row, a row a scenario) and `labels.json`.
    positions : tuple[str, ...]
        Names of the positions.
    n_scenarios : int
        Number of scenarios.
    dtype : {"float64", "float32"}
        Precision on disk; sums are always of 64 bits.

    Examples
    --------
    >>> import tempfile
    >>> from riskkit.stress import ScenarioCube
    >>> folder = tempfile.mkdtemp()
    >>> cube = ScenarioCube.write(folder, [[[1.0, -2.0, 0.5]], [[-3.0, 1.0, 4.0]]], ["swap", "bond", "fx"])
    >>> cube.aggregate({"firm": {"rates": ["swap", "bond"], "macro": ["fx"]}}).to_numpy().tolist()
    [[-0.5, -1.0, 0.5], [2.0, -2.0, 4.0]]
    """

    folder: Path
    positions: tuple[str, ...]
    n_scenarios: int
    dtype: Precision

    @classmethod
    def write(
        cls, folder: Any, pnl: Iterable[Any], positions: Iterable[Any], *, dtype: Precision = "float64"
    ) -> ScenarioCube:
        """Write a cube, block by block of scenarios; only one block is in memory.

        Parameters
        ----------
        folder : str or Path
            Made if it does not exist; a cube that is there is replaced, when the new one is complete.
        pnl : iterable of (n, n_positions)
            P&L of further scenarios, money, such as ``book.pnl(scenarios[i : i + 1000])``.
        positions : (n_positions,)
            Names of the positions, each once.
        dtype : {"float64", "float32"}
            Precision on disk; 32 bits (7 digits) take half of the space.

        Returns
        -------
        ScenarioCube
            The cube, to be opened again by `ScenarioCube.open`.

        Raises
        ------
        InputError
            NaN, infinity, another number of positions, a name twice, no scenario, or a folder that cannot be written. A cube that
            was there stays.
        """
        names = [str(name) for name in positions]
        if not names or len(set(names)) != len(names):
            raise InputError("positions is empty or names a position twice; give a name for each column")
        one_of(dtype, get_args(Precision), "dtype")
        place = path_of(folder, "folder")
        with FolderLock(place, "one process writes a cube"):
            remove_parts(place)
            with whole_set(place, (), LABELS) as file_of:
                count = _written(file_of(PNL), pnl, len(names), dtype)
                labels = {"positions": names, "n_scenarios": count, "dtype": dtype}
                file_of(LABELS).write(json.dumps(labels).encode())
        return cls(place, tuple(names), count, dtype)

    @classmethod
    def open(cls, folder: Any) -> ScenarioCube:
        """Open a cube that was written.

        Parameters
        ----------
        folder : str or Path
            The folder.

        Returns
        -------
        ScenarioCube
            Nothing is read but the labels.

        Raises
        ------
        InputError
            No complete cube there, or a file of another size.
        """
        place = path_of(folder, "folder")
        with reading(str(place), "a scenario cube"):
            labels = json.loads((place / LABELS).read_text(encoding="utf-8"))
            cube = cls(place, tuple(labels["positions"]), int(labels["n_scenarios"]), labels["dtype"])
            size, expected = (place / PNL).stat().st_size, cube.n_scenarios * cube._row_bytes
        if size != expected:
            raise InputError(
                f"{place / PNL} has {size:,} bytes and its labels ask for {expected:,}; write the cube again"
            )
        return cube

    @property
    def _row_bytes(self) -> int:
        return len(self.positions) * np.dtype(self.dtype).itemsize

    def blocks(self, n_rows: int | None = None) -> Iterator[np.ndarray]:
        """P&L of further scenarios, (n, n_positions), from the first to the last.

        Parameters
        ----------
        n_rows : int, optional
            Number of scenarios in memory; by default those of 64 MB.
        """
        rows = max(1, BLOCK_BYTES // (8 * len(self.positions))) if n_rows is None else whole_number(n_rows, "n_rows")
        with (self.folder / PNL).open("rb") as file:
            for start in range(0, self.n_scenarios, rows):
                count = min(rows, self.n_scenarios - start) * len(self.positions)
                numbers = np.fromfile(file, dtype=self.dtype, count=count)
                yield numbers.astype(np.float64, copy=False).reshape(-1, len(self.positions))

    def scenarios(self, rows: Any) -> Any:
        """P&L by position in some scenarios, as of the worst ones of a node.

        Parameters
        ----------
        rows : sequence of int
            Numbers of scenarios, from 0.

        Returns
        -------
        DataFrame
            A row for each scenario, a column for each position; money.
        """
        import pandas as pd

        chosen = np.atleast_1d(rows)
        if chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= self.n_scenarios:
            raise InputError(f"rows are not numbers of the {counted(self.n_scenarios, 'scenario')}, from 0")
        table = np.memmap(self.folder / PNL, self.dtype, "r", shape=(self.n_scenarios, len(self.positions)))
        values = np.asarray(table[chosen], dtype=np.float64)
        return pd.DataFrame(values, pd.Index(chosen, name="scenario"), list(self.positions))

    def aggregate(self, hierarchy: Mapping[Any, Any], *, n_rows: int | None = None) -> Any:
        """P&L of every node of a tree by scenario, by one pass over the file.

        Parameters
        ----------
        hierarchy : mapping
            Nested mapping from the top, with the positions in lists, as in `riskkit.pnl.aggregate`; every position once.
        n_rows : int, optional
            Number of scenarios in memory; by default those of 64 MB.

        Returns
        -------
        DataFrame (n_scenarios, n_nodes)
            Money, a parent before its children, without the positions themselves; for any VaR method.

        Raises
        ------
        InputError
            A position that is missing, unknown or named twice.
        """
        import pandas as pd

        names, member = membership(hierarchy, self.positions)
        weights = member.toarray() if member.shape[1] <= FEW else member
        sums, done = np.empty((self.n_scenarios, len(names))), 0
        for rows in self.blocks(n_rows):
            sums[done : done + len(rows)] = rows @ weights
            done += len(rows)
        return pd.DataFrame(sums, pd.RangeIndex(self.n_scenarios, name="scenario"), names, copy=False)

    def _title(self) -> str:
        return f"Scenario cube of {self.n_scenarios:,} scenarios and {len(self.positions):,} positions"

    def _rows(self) -> list[Row]:
        return [("on disk", self.n_scenarios * self._row_bytes / 1e6, "MB"), ("precision", self.dtype, "")]


def _written(file: BinaryIO, pnl: Iterable[Any], n_positions: int, dtype: Precision) -> int:
    """Write blocks of scenarios; return the number of scenarios."""
    count = 0
    for block in pnl:
        rows = finite_array(block, "pnl", ndim=2)
        if rows.shape[1] != n_positions:
            raise InputError(f"pnl has a block of shape {rows.shape} for {n_positions} positions")
        kept = np.ascontiguousarray(rows, dtype=dtype)
        if not np.isfinite(kept).all():
            raise InputError(f"pnl holds numbers beyond {dtype}; use float64, or another unit of money")
        file.write(kept.data)
        count += len(rows)
    if not count:
        raise InputError("pnl is empty; give at least one scenario")
    return count
