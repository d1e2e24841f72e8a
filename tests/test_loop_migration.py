"""The loop made from `loop.py` is the text that the string generator writes, over random shapes."""

import ast
import random
import re

import pytest

from riskkit.replay import steps
from riskkit.replay.columns import OPTIONAL, Command, Flag, Kind
from riskkit.replay.shape import RuleShape, Shape, columns
from riskkit.replay.source import source
from riskkit.replay.specialise import specialise

SCOPES = ("account", "instrument", "product", "account_instrument", "account_product", "strategy", "session", "desk")
SCOPES += ("firm", "global")
ASKED = {
    "check": ("state", "params", "book", "event", "memory", "reals", "reducing", "orders", "positions", "twins"),
    "record": ("state", "params", "book", "event", "memory", "reals", "accepted", "passed"),
    "turn": ("state", "params", "book", "memory"),
    "reset": ("state", "params", "book", "memory"),
    "advance": ("state", "params", "event", "memory"),
    "assume": ("state", "params", "book", "event", "sign", "memory"),
}


def random_shape(draw: random.Random) -> Shape:
    def flag(share=0.5):
        return draw.random() < share

    rules = []
    twins = flag(0.3)
    for k in range(draw.choice([0, 1, 1, 2, 3, 5])):
        covariance = flag(0.2)

        def names(hook, covariance=covariance):
            absent = (set() if twins else {"twins"}) | (set() if covariance else {"reals"})
            wanted = [name for name in ASKED[hook] if name not in absent]
            return tuple(draw.sample(wanted, draw.randint(1, len(wanted))))

        kinds = [int(kind) for kind in Kind]
        record = names("record") if flag(0.7) else ()
        # the generator forgot `reals` where equity moves, and to look such rules up in a list
        watches = {kind for kind in kinds if flag(0.4)} - ({int(Kind.MARK)} if "reals" in record else set())
        rules.append(
            RuleShape(
                draw.choice(SCOPES), flag(), flag(), flag(0.3), flag(), flag(0.3), flag(0.3), covariance,
                draw.choice([0, 0, 2]),
                tuple(kind for kind in (0, 1) if flag(0.7)),
                tuple(sorted(watches | {int(Kind.ORDER)})),
                names("check") if flag(0.8) else (), record,
                *(names(hook) if flag(0.4) else None for hook in ("turn", "reset", "advance", "assume")),
                number=k, name=f"rule_{k}",
            )
        )  # fmt: skip
    enforce = flag()
    chains, cash, parents, others = flag(0.3), flag(0.3), flag(0.3), flag()
    modifies = flag()
    working = any(rule.working for rule in rules)
    orders = enforce or chains or cash or parents or modifies or working or flag()
    return Shape(
        tuple(rules), enforce, flag(), orders, flag(), flag(), enforce and flag(), modifies, others, chains, cash,
        twins, parents, any(rule.scope in ("strategy", "session") for rule in rules),
        tuple(name for name in OPTIONAL if flag()),
    )  # fmt: skip


LOCALS = {
    "named": "order", "owner": "account", "traded": "instrument", "heading": "side", "charge": "fee", "lots": "qty",
    "purse": "cash_balance", "ancestor": "parent_order", "asked": "price", "balance": "cash_before",
    "was": "qty_before", "a": "account_id", "h": "pair_id", "x": "instrument_id", "k": "kind", "whole": "combined",
    "who": "target", "place": "slot", "lots_before": "committed_before",
}  # fmt: skip
JUDGE = {
    "v": "answer",
    "c": "rule_code",
    "s": "rule_observed",
    "l": "rule_limit",
    "u": "rule_until",
    "seen": "observed",
}
VARIABLES = {"r": "state", "s": "states", "n": "n_keys", "t": "terms", "p": "params", "w": "duplicates"}
VALUES = {
    **{counter.name: int(counter) for counter in steps.Counter},
    **{decision.name: int(decision) for decision in steps.Decision},
    "RESUME": int(Command.RESUME), "RESET": int(Command.RESET), "BAD_TS": int(Flag.BAD_TS),
    "BAD_PRICE": int(Flag.BAD_PRICE), "DUPLICATE": int(Flag.DUPLICATE),
    "ORPHANS_KEEP": int(steps.Orphans.KEEP), "ORPHANS_DROP": int(steps.Orphans.DROP),
}  # fmt: skip
STEPS = {"open_order", "close_order", "fill_order", "change_order"}


class Renamed(ast.NodeTransformer):
    """The old text with the names of today; nothing else changes but what is said."""

    def __init__(self, shape, function):
        self.shape = shape
        self.names = {**LOCALS, **{name: f"log_{name}" for name in columns(shape)}}
        self.names |= JUDGE if function.startswith("judge") else {}
        self.names |= {"c": "calendar"} if function == "turn_over" else {}

    def name(self, text):
        found = re.fullmatch(r"(all_s|[rsntpw]|check|record|turn|reset|advance|assume)(\d+)", text)
        if found:
            rule = self.shape.rules[int(found[2])]
            kind = "all_states" if found[1] == "all_s" else VARIABLES.get(found[1], found[1])
            return f"{kind}_{rule.name}"
        return self.names.get(text, text)

    def visit_Name(self, node):
        if node.id in VALUES and node.id not in self.names:
            return ast.Constant(VALUES[node.id])
        node.id = self.name(node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.name(node.arg)
        return node

    def visit_IfExp(self, node):
        self.generic_visit(node)
        if ast.unparse(node.test) == "-1 >= 0":  # folded: the log does not have the column
            return node.orelse
        return node

    def visit_Expr(self, node):
        self.generic_visit(node)
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in STEPS:
            return ast.Assign([ast.Name("change", ast.Store())], call)  # a name that nobody reads
        return node

    def visit_If(self, node):
        self.generic_visit(node)
        node.body = [one for one in node.body if not isinstance(one, ast.Pass)]
        return node if node.body else None


def functions(tree, shape=None):
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {n: ast.fix_missing_locations(Renamed(shape, n).visit(f)) for n, f in found.items()} if shape else found


def read_names(function):
    return {node.id for one in function.body for node in ast.walk(one) if isinstance(node, ast.Name)}


def canonical(found):
    """Text by function; arguments that a function does not read are dropped, and the others sorted."""
    called = {node.func.id for f in found.values() for node in ast.walk(f) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    found = {name: f for name, f in found.items() if name == "run" or name in called}
    while True:  # an argument that is only passed on to one that drops it
        dropped = False
        for name, function in found.items():
            if name == "run":
                continue
            names = [argument.arg for argument in function.args.args]
            keep = sorted(set(names) & read_names(function))
            if keep == names:
                continue
            dropped = True
            function.args.args = [ast.arg(one) for one in keep]
            for other in found.values():
                for node in ast.walk(other):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                        given = dict(zip(names, node.args, strict=True))
                        node.args = [given[one] for one in keep]
        if not dropped:
            return {name: ast.unparse(function) for name, function in found.items()}


@pytest.mark.parametrize("seed", range(20))
def test_the_text_is_that_of_the_generator(seed):
    draw = random.Random(seed)
    for _ in range(100):
        shape = random_shape(draw)
        old = canonical(functions(ast.parse(source(shape)), shape))
        new = canonical(functions(ast.parse(ast.unparse(specialise(shape)))))
        assert new == old
