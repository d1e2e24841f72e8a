"""The readers by name, as each declares itself, and which of them a file is for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from decimal import localcontext
from typing import ParamSpec

from riskkit._docs import shared_parameters
from riskkit._files import reading
from riskkit.read.reading import Reading
from riskkit.read.source import Source, sources

documented = shared_parameters(
    {
        "account": "str\n    Label of the account, which the file does not have.",
        "currency": "str\n    Currency of all instruments, which the file does not have.",
        "quotes": "mapping of symbol to currency, optional\n    Currency of the prices of symbols that end in no known one.",
    },
    raises="InputError\n    A file is torn or of another format, a value of another form, or an argument missing; the message names "
    "file and row.",
)
ANY_TABLE = "generic_csv"  # the reader of tables of no standard
DIGITS = 200  # sums of exact numbers are exact
P = ParamSpec("P")
Recognises = Callable[[Source], bool]

READERS: dict[str, Callable[..., Reading]] = {}
RECOGNISERS: dict[str, Recognises] = {}


def reader(recognises: Recognises) -> Callable[[Callable[P, Reading]], Callable[P, Reading]]:
    """Declare a function as the reader of the files that `recognises` knows by their content.

    Examples
    --------
    >>> import riskkit as rk
    >>> sorted(READERS) == sorted(name for name in rk.read.__all__ if name in READERS)
    True
    """

    def declared(function: Callable[P, Reading]) -> Callable[P, Reading]:
        signature = inspect.signature(function)

        @functools.wraps(documented(function))
        def exact(*args: P.args, **kwargs: P.kwargs) -> Reading:
            call = signature.bind(*args, **kwargs)

            def names() -> str:
                return ", ".join(file.name for file in sources(call.arguments["files"]))

            with localcontext(prec=DIGITS), reading(names, function.__name__):
                return function(*args, **kwargs)

        READERS[function.__name__] = exact
        RECOGNISERS[function.__name__] = recognises
        return exact

    return declared


def formats_of(files: Sequence[Source]) -> list[str]:
    """Names of the readers that know all of the files; that of any table only if no other does.

    Examples
    --------
    >>> formats_of([Source("a.csv", b"hello")])
    []
    """
    found = [name for name, knows in RECOGNISERS.items() if all(knows(source) for source in files)]
    return [name for name in found if name != ANY_TABLE] or found
