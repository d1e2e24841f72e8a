"""A wrong public name is answered with the right one, and a call without a needed argument with its name and a call that has it.

A public module declares beside its list which of its calls have another name elsewhere: `suggest_names(__name__, {call: names})`.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from types import ModuleType
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
_ELSEWHERE: dict[str, Mapping[str, str]] = {}  # of each public module, its calls and what others name them
_TELLING: set[Any] = set()  # functions that say what is missing
_ALIKE = 0.8  # names that have less in common are not suggested


def suggest_names(module: str, elsewhere: Mapping[str, str] | None = None) -> None:
    """Let a public module answer a wrong name with the nearest right one: its own, else that of another module.

    `elsewhere` has the names that other packages and textbooks use, parted by blanks, for calls of the module.
    Set on the module itself, so that type checkers do not take every name of it for known.
    """
    namespace = vars(sys.modules[module])
    load, public = namespace.get("__getattr__"), namespace["__all__"]
    _ELSEWHERE[module] = elsewhere or {}
    namespace |= {name: published(namespace[name]) for name in public if name in namespace}

    def __getattr__(name: str) -> Any:
        if load and name in public:
            namespace[name] = found = published(load(name))
            return found
        raise AttributeError(f"{module} has no public name {name!r}{nearest_name(name, module)}")

    namespace["__getattr__"] = __getattr__


def nearest_name(name: str, asked: str = "riskkit") -> str:
    """What a wrong name of the module `asked` may have meant, as the end of a sentence.

    First the calls that others know by this name, then the same words in any spelling, then names that are alike; of
    equals those of the module asked, then those of the top level.
    """
    if name.startswith("_"):
        return ""
    package = sys.modules["riskkit"]
    values = {public: getattr(package, public) for public in package.__all__}
    modules = {value.__name__: value for value in values.values() if isinstance(value, ModuleType)}
    short = {id(value): f"riskkit.{public}" for public, value in values.items()}  # at top level a name is shorter
    found = {path: _alike(name, path.rpartition(".")[2]) for path in short.values()}
    for module, value in modules.items():
        own = {public: getattr(value, public) for public in getattr(value, "__all__", ())}
        paths = {
            public: f"{module}.{public}" if module == asked else short.get(id(thing), f"{module}.{public}")
            for public, thing in own.items()
        }
        for public, path in paths.items():
            found[path] = max(found.get(path, 0.0), _alike(name, public, module))
        for call, names in _ELSEWHERE.get(module, {}).items():
            head = re.split(r"\W", call)[0]
            path = paths.get(head, f"riskkit.{head}") + call[len(head) :]
            found[path] = max(found.get(path, 0.0), max(_same(name, other) for other in names.split()))
    best = max(_of_module(path, asked, alike) for path, alike in found.items())
    if best[0] < _ALIKE:
        return "; see riskkit.__all__"
    near = [path for path, alike in found.items() if _of_module(path, asked, alike) == best]
    return f"; did you mean {' or '.join(near if best[0] > 2.0 else near[:1])}?"


def _of_module(path: str, asked: str, alike: float) -> tuple[float, int, int]:
    """How near a path is, with equals apart: one of the module asked comes before the shorter one."""
    return alike, path.startswith(f"{asked}."), -path.count(".")


def _same(name: str, other: str) -> float:
    """Whether two names are one: a name of others counts above any name of ours that is alike."""
    return 3.0 if name == other else 1.5 if _letters(name) == _letters(other) else 0.0


def _alike(name: str, public: str, module: str = "") -> float:
    """Two for the name itself, one for the same words in any spelling, also with the module's; less for a few letters."""
    if name == public:
        return 2.0
    wrong, right = _words(name), _words(public)
    if wrong in (right, right | _words(module.rpartition(".")[2])):
        return 1.0 + 0.1 * (name[0].isupper() == public[0].isupper())  # a function for a function
    letters = SequenceMatcher(None, _letters(name), _letters(public)).ratio()
    return max(letters, _ALIKE if wrong < right else 0.0)


def _words(name: str) -> set[str]:
    """The words of a name in snake or camel case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def says_what_is_missing(function: Function) -> Function:
    """Decorator: a call without a needed argument is refused by a sentence with a call from the docstring.

    Examples
    --------
    >>> @says_what_is_missing
    ... def double(number):
    ...     '''Twice a number.
    ...
    ...     >>> double(4)
    ...     8
    ...     '''
    ...     return 2 * number
    >>> double()
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: double needs number, as in double(4)
    """

    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:
            missing = _missing(function, args, kwargs)
            if not missing:
                raise
        from riskkit._check import InputError  # which loads numpy, and ``import riskkit`` is cheap

        raise InputError(f"{function.__name__} needs {' and '.join(missing)}{_example(function)}")

    return cast("Function", told)


def published(value: Any) -> Any:
    """A public value: a function that needs arguments says which are missing, here and in its own module (for pickle).

    Of a module its public functions do.
    """
    if isinstance(value, ModuleType):
        own = vars(value)
        own |= {name: published(own[name]) for name in own.get("__all__", ()) if name in own}
    if not inspect.isfunction(value) or value in _TELLING or not _needed(value):
        return value
    module: Any = sys.modules[value.__module__]
    name: str = value.__name__
    told = says_what_is_missing(value)
    if getattr(module, name, None) is not value:
        return getattr(module, name, told)
    _TELLING.add(told)
    setattr(module, name, told)
    return told


def _needed(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters without a default."""
    plain = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.kind not in plain]


def _missing(function: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """The needed parameters that a call leaves out; none if it is wrong in another way, too."""
    try:
        given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
    except TypeError:
        return []
    return [name for name in _needed(function) if name not in given]


def _example(function: Callable[..., Any]) -> str:
    """The first call of a function in its docstring, as the end of a sentence; its signature if there is none."""
    import ast
    import doctest

    name = function.__name__
    for example in doctest.DocTestParser().get_examples(function.__doc__ or ""):
        for node in ast.walk(ast.parse(example.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                return f", as in {ast.unparse(node)}"
    return f": {name}({', '.join(inspect.signature(function).parameters)})"
