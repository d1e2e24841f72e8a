"""Shared parameter descriptions: order, precedence, and what is missing."""

import inspect

import pytest

from riskkit._docs import counted, shared_parameters

TEXTS = {"returns": "(n_obs,)\n    Returns.", "confidence": "float\n    Confidence."}


def completed(docstring, function):
    function.__doc__ = docstring
    return shared_parameters(TEXTS)(function)


def test_parameters_follow_the_signature_and_an_own_description_wins():
    def model(returns, window, confidence=0.99, *, seed=1): ...

    text = """Model.

    Parameters
    ----------
    window, seed : int
        Own text.
    confidence : float, optional
        Own confidence.

    Returns
    -------
    float
        Answer.

    Examples
    --------
    >>> print("Table", "-----", sep=chr(10))
    Table
    -----
    """
    found = inspect.getdoc(completed(text, model))
    positions = [
        found.index(part) for part in ("returns : (n_obs,)", "window, seed : int", "confidence : float, optional")
    ]
    assert positions == sorted(positions) and found.count("window, seed") == 1
    assert "Confidence." not in found and "Own confidence." in found
    order = [found.index(title) for title in ("Parameters\n", "Returns\n", "Raises\n", "Examples\n")]
    assert order == sorted(order)
    assert found.endswith("Table\n-----")


def test_an_own_section_on_errors_stays():
    def model(returns): ...

    found = completed("Model.\n\nReturns\n-------\nfloat\n\nRaises\n------\nInputError\n    Own reason.\n", model)
    assert found.__doc__.count("Raises") == 1 and "Own reason." in found.__doc__


def test_a_parameter_that_nobody_describes_is_refused():
    def model(returns, bandwidth): ...

    with pytest.raises(KeyError, match="bandwidth"):
        completed("Model.\n\nReturns\n-------\nfloat\n", model)


def test_without_docstrings_nothing_is_added():
    def model(returns): ...

    assert completed(None, model).__doc__ is None


@pytest.mark.parametrize(("number", "text"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1_000, "1,000 days")])
def test_one_is_singular(number, text):
    assert counted(number, "day") == text
