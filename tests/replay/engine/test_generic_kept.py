"""The text of the generic loop is that of the present sources, whatever is kept."""

import json

import pytest
from marks import needs_compiling

import riskkit as rk
from riskkit.replay.engine import generic_kept, tiers
from riskkit.replay.engine.generic import catalogue_loop
from riskkit.replay.engine.generic_kept import NAME, kept


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    return tmp_path


def made():
    loop, facts = catalogue_loop()
    return "riskkit_generic_test", loop.text, facts


def never():
    raise AssertionError("it was made although it is kept")


def test_what_is_kept_is_what_was_made(folder):
    assert kept(made) == made()
    assert kept(never) == made()


def test_other_sources_make_it_anew(folder, monkeypatch):
    kept(made)
    monkeypatch.setattr(generic_kept, "digest_of_sources", lambda: "other")
    with pytest.raises(AssertionError, match="although"):
        kept(never)
    assert kept(made) == made()
    assert json.loads((folder / NAME).read_text())["sources"] == "other"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"sources": 1}', b'{"sources": "SAME"}'])
def test_a_damaged_file_is_as_none(folder, damage):
    sources = generic_kept.digest_of_sources().encode()
    (folder / NAME).write_bytes(damage.replace(b"SAME", sources))
    assert kept(made) == made()
    assert kept(never) == made()


def test_without_a_folder_it_is_made_each_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path / "file"))
    assert kept(made) == made() == kept(made)


@needs_compiling
def test_a_session_takes_the_generic_loop_where_its_own_is_not_kept(monkeypatch):
    monkeypatch.setattr(tiers, "is_compiled", lambda *_, **__: False)
    monkeypatch.setattr(tiers, "generic_is_warm", lambda: True)
    rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=1_234_567))])
    session, plain = (rk.Session.create(rules, [rk.Instrument("X")], ["A"], compiled=way) for way in ("auto", False))
    assert session.engine.loop.how == "generic loop"
    for one in (session, plain):
        for qty in (2_000_000, 1):
            one.process_order(ts=0, account="A", instrument="X", side="B", qty=qty, price=1)
    assert session.digest == plain.digest
