"""How the generic loop calls a hook: the code of each type that has one, and the statements that return its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from riskkit.replay.rules.rule import RuleType

NOTHING = {"check": "CapVerdict(0, 0, 0, 0, 0)", "holds_back": "False"}  # what a type without the hook returns


def coded(kinds: Sequence[RuleType], hook: str) -> list[tuple[int, RuleType, Callable[..., Any] | None]]:
    """The function of a hook by code: that of each type; then, of checks, those with converted amounts."""
    own = [(code, kind, getattr(kind, hook)) for code, kind in enumerate(kinds)]
    if hook != "check":
        return own
    return own + [(len(kinds) + code, kind, kind.converted) for code, kind in enumerate(kinds)]


def answered(hook: str, kind: RuleType, answer: str) -> list[str]:
    """Statements that return the answer of a hook."""
    if hook == "check":
        rest = "answer.cap, answer.base" if kind.caps else "0, 0"
        fields = ", ".join(f"int64(answer.{name})" for name in ("code", "observed", "limit"))
        return [f"        answer = {answer}", f"        return CapVerdict({fields}, {rest})"]
    if hook == "holds_back":
        return [f"        return bool({answer})"]
    return [f"        return int64({answer})"] if hook == "update" else [f"        {answer}", "        return 0"]
