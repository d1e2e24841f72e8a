"""The plain loop has the files and lines of the template."""

import ast
import inspect
import sys
from types import CodeType

import pytest
from replay.engine.test_specialise import EVERYTHING, NOTHING, walk
from streams import random_log

from riskkit.replay.engine import loop
from riskkit.replay.engine.plain import plain_code, plain_loop
from riskkit.replay.engine.template import code_of, template
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import PositionLimit

SOURCES = {file.__file__: inspect.getsource(file) for file in loop.FILES}
SPANS = {
    (path, node.lineno): (node.name, node.end_lineno)
    for path, source in SOURCES.items()
    for node in ast.parse(source).body
    if isinstance(node, ast.FunctionDef)
}
RULES = RuleSet([Rule("size", PositionLimit(limit=4)), Rule("breaker", BreakerLimits(open_positions=2))])


def functions_in(code: CodeType) -> list[CodeType]:
    """The functions of a plain loop: below those that hold what they share."""
    holders = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [part for holder in holders for part in holder.co_consts if isinstance(part, CodeType)]


@pytest.mark.parametrize("shape", [NOTHING, EVERYTHING])
def test_each_function_has_the_lines_of_its_file(shape):
    for code in functions_in(plain_code(plain_loop(shape))):
        name, last = SPANS[code.co_filename, code.co_firstlineno]
        assert code.co_name == name
        lines = {line for _, _, line in code.co_lines() if line is not None}
        assert lines <= set(range(code.co_firstlineno, last + 1)), code


@pytest.mark.slow
def test_every_function_of_the_template_is_one_of_a_plain_loop_and_has_no_other_lines():
    found = set()
    for shape in walk():
        for code in functions_in(plain_code(plain_loop(shape))):
            found.add((code.co_filename, code.co_firstlineno))
            lines = {line for _, _, line in code.co_lines() if line is not None}
            assert lines <= set(range(code.co_firstlineno, SPANS[code.co_filename, code.co_firstlineno][1] + 1)), code
    assert {SPANS[place][0] for place in SPANS.keys() - found} == set()


def test_breakpoints_and_coverage_work_in_the_files_of_the_template():
    log, seen = random_log(3, 60), set()

    def trace(frame, event, value):
        if frame.f_code.co_filename in SOURCES:
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            return trace
        return None

    digest = replay_log(log, RULES, "enforce", compiled=False).digest  # by a loop that nobody follows
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert replay_log(log, RULES, "enforce", compiled=False).digest == digest
    finally:
        sys.settrace(before)
    for file, statement in (
        (loop.run, "i += 1"),
        (loop.records, "position = at(positions, log.pair[row])"),
        (loop.fills, "realised = ledger.fill("),
        (loop.judgement, "rule_code = answer.code"),
    ):
        lines = SOURCES[file.__file__].splitlines()
        places = [line for path, line in seen if path == file.__file__]
        assert [line for line in places if lines[line - 1].strip().startswith(statement)], statement


def test_a_folded_test_is_counted_where_it_stands():
    """What is decided when the loop is made has no code in it."""
    function = next(
        node for node in ast.parse(SOURCES[loop.fills.__file__]).body if getattr(node, "name", "") == "book_fill"
    )
    line = next(node.lineno for node in function.body if isinstance(node, ast.If))
    test = next(node for node in template().functions["book_fill"].body if isinstance(node, ast.If)).test
    code = code_of(test)
    assert code.co_filename == loop.fills.__file__ and line in {found for _, _, found in code.co_lines()}
