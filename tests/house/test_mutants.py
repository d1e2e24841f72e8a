"""The tool of `make mutants`: what it changes, what it leaves alone, and which tests judge a file."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import mutants
import pytest

RULE = "riskkit/replay/rules/catalogue/cash.py"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a < b", ["a <= b"]),
        ("a == b", ["a != b"]),
        ("a in b", ["a not in b"]),
        ("a + b", ["a - b", "a"]),
        ("a * b", ["a / b"]),
        ("a and b", ["a or b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("n / (n - 1)", ["n * (n - 1)", "n / (n + 1)", "n / n", "n / (n - 2)", "n / (n - 0)"]),
        ("min(a, b)", ["max(a, b)"]),
        ("np.sqrt(a)", ["a"]),
        ("abs(a)", ["a"]),
        ("f(a=True)", ["f(a=False)"]),
        ("f'{1 + 1}' 'two'", []),
    ],
)
def test_each_change_is_made_and_no_text_is_touched(before, after):
    made = [ast.unparse(ast.parse(one.text).body[0].value) for one in mutants.mutants_of("x.py", f"v = {before}\n")]
    assert sorted(made) == sorted(after)


def test_a_mutant_of_several_lines_changes_one_expression_and_says_where():
    text = "x = 1.5  # π\ny = (a\n     + b)  # kept\nraise ValueError(1 + 1)\n"
    found = mutants.mutants_of("x.py", text)
    assert [one.line for one in found] == [1, 1, 2, 2]
    assert found[2].text == "x = 1.5  # π\ny = ((a - b))  # kept\nraise ValueError(1 + 1)\n"


@pytest.mark.slow
@pytest.mark.parametrize("place", mutants.FILES)
def test_every_mutant_of_the_package_is_a_program(place):
    made = mutants.all_mutants([place])
    assert len(made) > 50
    for one in made[::23]:
        ast.parse(one.text)


def test_each_file_is_judged_by_the_tests_of_its_room():
    for one in mutants.files_of(mutants.FILES):
        for run in mutants.tests_of(one):
            for name in run:
                assert name.startswith("-") or run[run.index(name) - 1] == "-k" or (mutants.ROOT / name).exists(), name


def test_no_equivalent_mutant_is_listed_that_cannot_be_made():
    listed = mutants.equivalents()
    made = {
        (one.file, one.before, one.after)
        for file in {file for file, _, _ in listed}
        for one in mutants.mutants_of(file, (mutants.ROOT / file).read_text(encoding="utf-8"))
    }
    assert listed <= made


def verdict(folder, *arguments, more=""):
    program = (
        f"import mutants, pathlib; print(mutants.passes(pathlib.Path({str(folder)!r}), {list(arguments)!r}{more}))"
    )
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # each start would import them for seconds
    command = [sys.executable, "-c", program]
    ran = subprocess.run(
        command, cwd=Path(mutants.__file__).parent, env=env, capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the tool needs fork")
def test_a_run_that_never_began_is_neither_passed_nor_failed(tmp_path):
    (tmp_path / "good.py").write_text('"""\n>>> 1 + 1\n2\n"""\n', encoding="utf-8")
    (tmp_path / "bad.py").write_text('"""\n>>> 1 + 1\n3\n"""\n', encoding="utf-8")
    (tmp_path / "plain.py").write_text("x = 1\n", encoding="utf-8")
    named = "class TestResult:\n    def __init__(self, x): ...\n\n\ndef test_it():\n    assert False\n"  # no tests
    (tmp_path / "named.py").write_text(named, encoding="utf-8")
    doctest = ("--doctest-modules", "-c", "/dev/null")
    assert verdict(tmp_path, *doctest, "good.py") == "True"
    assert verdict(tmp_path, *doctest, "plain.py") == verdict(tmp_path, *doctest, "named.py") == "True"
    assert verdict(tmp_path, *doctest, "bad.py") == "False"
    assert verdict(tmp_path, "--no-such-option", "good.py").startswith("pytest did not run --no-such-option good.py:")


@pytest.mark.skipif(sys.platform == "win32", reason="the tool needs fork")
def test_only_a_mutant_has_an_end_of_its_time(tmp_path):
    text = '"""\n>>> import resource\n>>> resource.getrlimit(resource.RLIMIT_CPU)[0] == WANTED\nTrue\n"""\n'
    (tmp_path / "free.py").write_text(text.replace("WANTED", "resource.RLIM_INFINITY"), encoding="utf-8")
    assert verdict(tmp_path, "--doctest-modules", "-c", "/dev/null", "free.py") == "True"
    (tmp_path / "limited.py").write_text(text.replace("WANTED", "77"), encoding="utf-8")
    assert verdict(tmp_path, "--doctest-modules", "-c", "/dev/null", "limited.py", more=", 77") == "True"
    (tmp_path / "endless.py").write_text('"""\n>>> while True: pass\n"""\n', encoding="utf-8")
    assert verdict(tmp_path, "--doctest-modules", "-c", "/dev/null", "endless.py", more=", 3") == "False"
