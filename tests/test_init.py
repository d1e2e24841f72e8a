"""The public names: each is there, listed once, and importing riskkit stays cheap."""

import importlib

import pytest

import riskkit


@pytest.mark.parametrize("name", riskkit.__all__)
def test_every_public_name_is_there(name):
    assert getattr(riskkit, name) is not None


def test_a_name_is_listed_once():
    names = [name for names in riskkit._EXPORTS.values() for name in names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("module", riskkit._EXPORTS)
def test_what_is_public_is_declared_by_its_module(module):
    declared = set(importlib.import_module(f"riskkit.{module}").__all__)
    assert set(riskkit._EXPORTS[module]) <= declared


def test_an_unknown_name_gets_a_sentence():
    with pytest.raises(AttributeError, match="no public name 'vra'"):
        _ = riskkit.vra
