"""Random variates of a simulation: from a seeded Generator, scrambled Sobol points, or an array.

A return model declares its variates per scenario (`VariateSpec`), and a source supplies them (`Variates`) in chunks. A Generator
is split into three streams, for normals, uniforms and chi-squares, each drawn row by row, so that every chunk size gives
the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from riskkit._check import InputError, finite_array, random_generator, whole_number
from riskkit._docs import with_described_fields

BLOCK = 4_096
"""Rows at a time in matrix products and sums, whose rounding could depend on the number of rows."""

SOBOL_BITS = 30


@with_described_fields
class VariateSpec(NamedTuple):
    """Random variates that a return model needs per scenario.

    Attributes
    ----------
    normals : int
        Standard normal variates.
    uniforms : int
        Uniform variates.
    chi_square : float or None
        Degrees of freedom of one chi-square variate, or None.

    Examples
    --------
    >>> from riskkit.montecarlo import VariateSpec
    >>> VariateSpec(normals=3, chi_square=4.0).columns
    4
    """

    normals: int = 0
    uniforms: int = 0
    chi_square: float | None = None

    @property
    def columns(self) -> int:
        """Number of columns of an array of draws: the normals, the uniforms, and one more uniform for a chi-square."""
        return self.normals + self.uniforms + (self.chi_square is not None)


@with_described_fields
class Variates(NamedTuple):
    """Random variates of some scenarios, one row each; valid until the next call of `take`.

    Attributes
    ----------
    normals : (n, needs.normals)
        Standard normal.
    uniforms : (n, needs.uniforms)
        In [0, 1).
    chi_squares : (n,)
        (0,) if not needed.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.montecarlo import Variates, NormalReturns
    >>> draws = Variates(np.array([[1.0], [-2.0]]), np.empty((2, 0)), np.empty(0))
    >>> NormalReturns([[0.0004]]).returns(draws).tolist()
    [[0.02], [-0.04]]
    """

    normals: np.ndarray
    uniforms: np.ndarray
    chi_squares: np.ndarray


class Source(Protocol):
    """Source of the variates of a simulation."""

    unit: int
    """Scenarios per independent unit: 1, 2 for antithetic pairs, a whole replicate for Sobol points."""

    def take(self, n: int) -> Variates:
        """Return the variates of the next `n` scenarios."""


@dataclass(frozen=True)
class SobolDraws:
    """Scrambled Sobol points: several independent scramblings of one sequence.

    Points of one scrambling are more evenly spaced than random ones; the spread between scramblings gives the standard
    error.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the scramblings.
    replicates : int
        Number of independent scramblings, at least 2. Scenarios must be replicates × a power of two.

    References
    ----------
    Owen (1997), Scrambled net variance for integrals of smooth functions, Annals of Statistics 25, 1541-1562.
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 5.4 (randomized quasi-Monte Carlo).

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.montecarlo import NormalReturns, SobolDraws
    >>> from riskkit import simulate_risk
    >>> points = SobolDraws(np.random.default_rng(1), replicates=16)
    >>> round(simulate_risk(NormalReturns([[0.0004]]), [100.0], 2**14, draws=points).var, 2)  # exactly: 4.65
    4.66
    """

    generator: np.random.Generator
    replicates: int = 16

    def __post_init__(self) -> None:
        random_generator(self.generator, "generator")
        whole_number(self.replicates, "replicates", at_least=2)


def source_of(draws: Any, needs: VariateSpec, n_scenarios: int | None, antithetic: bool = False) -> tuple[Source, int]:
    """Source of variates for a `draws` argument, and the number of scenarios.

    Parameters
    ----------
    draws : numpy.random.Generator, Sobol, or (n, needs.columns) array
        An array holds standard normals, then uniforms, in the order of `VariateSpec`; a chi-square takes one more uniform.
    n_scenarios : int or None
        None for all rows of an array.
    antithetic : bool
        Follow every scenario by its mirror image: -z for normals, 1-u for uniforms, the same chi-square.

    Raises
    ------
    InputError
        Another type, too few columns, an odd number of antithetic scenarios, or a number of scenarios that does not
        fit Sobol points.
    """
    if isinstance(draws, SobolDraws):
        if antithetic:
            raise InputError("antithetic=True with Sobol points, which are balanced already; use one of the two")
        n = _required(n_scenarios)
        return _SobolSource(draws, needs, n), n
    if isinstance(draws, np.random.Generator):
        n = _required(n_scenarios)
        source: Source = _GeneratorSource(draws, needs)
    elif draws is None or isinstance(draws, (int, np.integer, np.random.RandomState)):
        random_generator(draws, "draws", ", SobolDraws, or an array of draws")
    else:
        source = _ArraySource(draws, needs)
        given = source.n_rows * (2 if antithetic else 1)
        n = given if n_scenarios is None else _required(n_scenarios)
        if n > given:
            raise InputError(f"draws has {source.n_rows} rows, enough for {given} scenarios; n_scenarios is {n}")
    if antithetic:
        if n % 2:
            raise InputError(f"n_scenarios={n} is odd; antithetic scenarios come in pairs")
        source = _AntitheticSource(source)
    return source, n


def _required(n_scenarios: Any) -> int:
    if n_scenarios is None:
        raise InputError("n_scenarios is missing; it is optional only with an array of draws")
    return whole_number(n_scenarios, "n_scenarios", at_least=2)


class _GeneratorSource:
    """One child stream per kind of variate, seeded from the caller's generator, whose state advances."""

    unit = 1

    def __init__(self, generator: np.random.Generator, needs: VariateSpec) -> None:
        words = generator.integers(0, 2**32, size=4, dtype=np.uint32)
        kind = type(generator.bit_generator)
        children = np.random.SeedSequence(words.tolist()).spawn(3)
        self._normal, self._uniform, self._chi_square = (np.random.Generator(kind(child)) for child in children)
        self._needs = needs
        self._buffer = np.empty((0, needs.normals))

    def take(self, n: int) -> Variates:
        if len(self._buffer) < n:
            self._buffer = np.empty((n, self._needs.normals))
        normals = self._buffer[:n]
        self._normal.standard_normal(out=normals)
        degrees = self._needs.chi_square
        return Variates(
            normals,
            self._uniform.random((n, self._needs.uniforms)),
            np.empty(0) if degrees is None else self._chi_square.chisquare(degrees, n),
        )


class _ArraySource:
    unit = 1

    def __init__(self, draws: Any, needs: VariateSpec) -> None:
        array = finite_array(draws, "draws")
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or array.shape[1] != needs.columns:
            raise InputError(
                f"draws has shape {array.shape}; the model needs (n, {needs.columns}): {needs.normals} standard "
                f"normals, then {needs.columns - needs.normals} uniforms"
            )
        uniforms = array[:, needs.normals :]
        if uniforms.size and not (uniforms.min() > 0.0 and uniforms.max() < 1.0):
            raise InputError("draws has uniforms outside (0, 1) in its last columns")
        self._array, self._needs, self._next = array, needs, 0
        self.n_rows = len(array)

    def take(self, n: int) -> Variates:
        rows = self._array[self._next : self._next + n]
        self._next += n
        return _split(rows[:, : self._needs.normals], rows[:, self._needs.normals :], self._needs)


class _SobolSource:
    def __init__(self, sobol: SobolDraws, needs: VariateSpec, n_scenarios: int) -> None:
        size, left = divmod(n_scenarios, sobol.replicates)
        if left or size & (size - 1):
            fit = sobol.replicates * 2 ** max(1, size - 1).bit_length()
            raise InputError(
                f"n_scenarios={n_scenarios} is not {sobol.replicates} replicates of a power of two; use {fit}"
            )
        self.unit = size
        self._sobol, self._needs = sobol, needs
        self._engine: Any = None
        self._left = 0

    def take(self, n: int) -> Variates:
        from scipy.special import ndtri

        points = np.empty((n, self._needs.columns))
        done = 0
        while done < n:
            if self._left == 0:
                self._engine, self._left = self._scrambled(), self.unit
            # Powers of two at a time, as the engine requires of its first points.
            count = min(n - done, self._left, BLOCK)
            points[done : done + count] = self._engine.random(count)
            done, self._left = done + count, self._left - count
        points += 0.5 ** (SOBOL_BITS + 1)  # the middle of each cell, as 0 has an infinite normal
        normals = ndtri(points[:, : self._needs.normals])
        return _split(normals, points[:, self._needs.normals :], self._needs)

    def _scrambled(self) -> Any:
        from scipy.stats import qmc

        return qmc.Sobol(self._needs.columns, scramble=True, bits=SOBOL_BITS, seed=self._sobol.generator)


class _AntitheticSource:
    unit = 2

    def __init__(self, source: Source) -> None:
        self._source = source

    def take(self, n: int) -> Variates:
        half = self._source.take(n // 2)
        mirrored = np.minimum(1.0 - half.uniforms, np.nextafter(1.0, 0.0))
        return Variates(
            _interleaved(half.normals, -half.normals),
            _interleaved(half.uniforms, mirrored),
            np.repeat(half.chi_squares, 2),
        )


def _interleaved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    both = np.empty((2 * len(first), *first.shape[1:]))
    both[0::2], both[1::2] = first, second
    return both


def _split(normals: np.ndarray, uniforms: np.ndarray, needs: VariateSpec) -> Variates:
    """Convert the last uniform to a chi-square if the model needs one."""
    if needs.chi_square is None:
        return Variates(normals, uniforms, np.empty(0))
    from scipy.special import gammaincinv

    return Variates(normals, uniforms[:, :-1], 2.0 * gammaincinv(needs.chi_square / 2.0, uniforms[:, -1]))
