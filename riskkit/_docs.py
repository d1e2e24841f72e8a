"""Texts that many functions share: descriptions of parameters, written once and added to docstrings; a number with its noun.

A docstring in the source describes what is special about its function. The decorator made by `shared_parameters` adds
the rest when the function is defined, so that ``help()`` and Shift-Tab show every parameter.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Record = TypeVar("Record", bound=type)

SECTION = r"^(Parameters|Attributes|Returns|Raises|Notes|References|Examples)\n-+\n"
RAISES = (
    "InputError\n    An argument contains NaN or infinity, or has the wrong type, shape or range; the message names it."
)


def shared_parameters(
    texts: Mapping[str, str], *, returns: str = "", raises: str = RAISES
) -> Callable[[Function], Function]:
    r"""Return a decorator that completes the numpy-style docstring of a function.

    Parameters
    ----------
    texts : mapping of str to str
        Type and, on indented lines, description of a parameter by its name.
    returns, raises : str
        Text of these sections where a docstring has none.

    Returns
    -------
    callable
        Adds the text of each parameter that the docstring leaves out, in the order of the signature, and the sections
        that it leaves out. A parameter described neither here nor there is a KeyError.

    Examples
    --------
    >>> @shared_parameters({"n_obs": "int\n    Number of days."})
    ... def double(n_obs):
    ...     '''Twice the number of days.
    ...
    ...     Returns
    ...     -------
    ...     int
    ...     '''
    >>> double.__doc__.split("\n\n")[1].split("\n")
    ['Parameters', '----------', 'n_obs : int', '    Number of days.']
    """
    added = {"Returns": returns, "Raises": raises}

    def complete(function: Function) -> Function:
        if function.__doc__:  # python -OO leaves none
            function.__doc__ = completed(function.__doc__, list(inspect.signature(function).parameters), texts, added)
        return function

    return complete


def completed(text: str, parameters: list[str], texts: Mapping[str, str], added: Mapping[str, str]) -> str:
    """The docstring with every parameter described, and the sections `added` where it has none.

    An entry of the docstring that gives no type takes that of `texts`.
    """
    summary, *parts = re.split(SECTION, inspect.cleandoc(text), flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    described = _entries(sections.pop("Parameters", ""))
    for name, entry in described.items():
        head, _, body = entry.partition("\n")
        if head == name and name in texts:
            described[name] = f"{name} : {texts[name].splitlines()[0]}\n{body}"
    entries = dict.fromkeys(described.get(name) or f"{name} : {texts[name]}" for name in parameters)
    ordered = {
        "Parameters": "\n".join(entries),
        **{title: sections.pop(title, text) for title, text in added.items()},
        **sections,
    }
    written = [f"{title}\n{'-' * len(title)}\n{body.strip()}" for title, body in ordered.items() if body]
    return "\n\n".join([summary.strip(), *written]) + "\n"


def with_described_fields(record: Record) -> Record:
    r"""Give each field of a record its entry of the docstrings of the class and its bases, so that Shift-Tab shows it.

    A named tuple's fields take it as their own docstring, instead of "Alias for field number 0". What the docstring of a
    subclass leaves out is added to its section "Attributes".

    Examples
    --------
    >>> from riskkit.var.order_statistics import RankInterval
    >>> RankInterval.coverage.__doc__
    'float\n    Exact probability for independent losses with a continuous distribution.'
    """
    if not record.__doc__:  # python -OO leaves none
        return record
    inherited = {name: text for base in record.__bases__ for name, text in field_texts(base).items()}
    own = field_texts(record)
    if added := {name: text for name, text in inherited.items() if name not in own}:
        summary, title, rest = inspect.cleandoc(record.__doc__).partition("Attributes\n----------\n")
        entries, _, rest = rest.partition("\n\n")
        record.__doc__ = f"{summary}{title}{entries}\n" + "\n".join(added.values()) + f"\n\n{rest}"
    for name in getattr(record, "_fields", ()) if issubclass(record, tuple) else ():
        if name in own:
            getattr(record, name).__doc__ = own[name].removeprefix(f"{name} : ")
    return record


def field_texts(record: type) -> dict[str, str]:
    """The entry of each field in the sections "Parameters" and "Attributes" of the docstring of a class."""
    _, *parts = re.split(SECTION, inspect.cleandoc(record.__doc__ or ""), flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    return {
        name: entry
        for title in ("Parameters", "Attributes")
        for name, entry in _entries(sections.get(title, "")).items()
    }


def _entries(section: str) -> dict[str, str]:
    """The entry of each parameter in a section "Parameters"; several may share one."""
    entries = [entry.rstrip() for entry in re.split(r"\n(?=\S)", section) if entry.strip()]
    return {name: entry for entry in entries for name in re.split(r", ?", entry.split("\n")[0].split(" : ")[0])}


def with_article(noun: str) -> str:
    """A noun after its article."""
    return f"{'an' if noun[0] in 'AEIOUaeiou' else 'a'} {noun}"


def counted(number: Any, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "observation"), counted(1_000, "hit"), counted("1.0", "message"), counted("2.5", "message")
    ('1 observation', '1,000 hits', '1 message', '2.5 messages')
    """
    value = number if isinstance(number, int) else float(number)
    shown = f"{value:,}" if isinstance(value, int) or not value.is_integer() else f"{int(value):,}"
    return f"{shown} {noun}{'' if value == 1 else 's'}"
