"""No file crashes a reader or misleads it: it is read as it was written, or refused in one sentence of ours."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import shutil
from contextlib import contextmanager
from random import Random

import numpy as np
import pytest
from format_samples import SAMPLES, parts_of
from hostile_files import GONE, KINDS, RULES, WRONG, leaves, log, order, session, spoil, spoilt, with_leaf
from hypothesis import given, settings
from hypothesis import strategies as st

import riskkit as rk
from riskkit import InputError
from riskkit.read.source import Source
from riskkit.replay.live.engine_snapshot import CHECKSUM, unpack
from riskkit.replay.live.journal_folder import COLUMNS, DECISIONS, _hash, file_of, firsts, read_segment
from riskkit.replay.log.storage import read_parquet, write_parquet
from riskkit.replay.schema.digest import hash_plain
from riskkit.report import page
from riskkit.stress import ScenarioCube

LONGEST = 700  # characters of a refusal


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A function that gives the folder of a kind as it was written, and what is read from it."""
    known = {}

    def made(name: str):
        if name not in known:
            folder = tmp_path_factory.mktemp("files")
            KINDS[name].write(folder)
            copy = shutil.copytree(folder, tmp_path_factory.mktemp("copy"), dirs_exist_ok=True)
            known[name] = folder, KINDS[name].read(copy)
        return known[name]

    return made


def refused_or_read(name: str, folder, as_written) -> None:
    """Read, and see that it is as it was written, or refused in a sentence."""
    try:
        found = KINDS[name].read(folder)
    except InputError as error:
        assert 0 < len(str(error)) < LONGEST and str(error).isprintable()
    else:
        assert found == as_written or not KINDS[name].sealed


@pytest.mark.slow
@settings(max_examples=20_000)
@given(name=st.sampled_from(list(KINDS)), seed=st.integers(0, 2**32))
def test_a_spoilt_file_is_read_as_it_was_or_refused(written, tmp_path_factory, name, seed):
    folder, as_written = written(name)
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("spoilt"), dirs_exist_ok=True)
    spoil(copy, Random(seed))
    refused_or_read(name, copy, as_written)
    shutil.rmtree(copy)


def answered(read, *given) -> None:
    """Call, and see that a refusal is a sentence."""
    try:
        read(*given)
    except InputError as error:
        assert 0 < len(str(error)) < LONGEST and str(error).isprintable()


@pytest.mark.slow
@settings(max_examples=5_000)
@given(sample=st.sampled_from(SAMPLES), seed=st.integers(0, 2**32))
def test_a_spoilt_file_of_any_format_is_read_or_refused(sample, seed):
    _, paths, arguments = parts_of(sample)
    draw = Random(seed)
    chosen = draw.randrange(len(paths))
    files = [
        Source(path.name, spoilt(path.read_bytes(), draw) if place == chosen else path.read_bytes())
        for place, path in enumerate(paths)
    ]
    answered(lambda: getattr(rk.read, sample.parent.name)(files, **arguments).log(rounding="nearest"))


@contextmanager
def full_disk(size: int):
    """A block in which no file grows beyond a number of bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


WRITERS = {
    **{name: KINDS[name].write for name in ("log.parquet", "log folder", "journal", "Parquet store", "DuckDB store")},
    "cube": lambda folder: ScenarioCube.write(folder, [np.ones((9, 99))], range(99)),
    "workbook": lambda folder: rk.value_at_risk(np.linspace(-1, 1, 300), 0.99).to_excel(folder / "a.xlsx"),
    "report": lambda folder: page.write(folder / "new" / "a.html", "x" * 9_000),
}


@pytest.mark.parametrize("name", WRITERS)
def test_on_a_full_disk_a_sentence_and_nothing_left(name, tmp_path):
    with full_disk(0), pytest.raises(InputError, match=r"cannot be (written|opened): .*File too large"):
        WRITERS[name](tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in left] in ([], ["lock"])
    for path in left:
        path.unlink()
    WRITERS[name](tmp_path)  # once there is room


def test_a_message_is_one_line_of_signs_that_can_be_printed():
    assert str(InputError("a\x1b[2J\nCRITICAL b")) == "a [2J CRITICAL b"


def test_a_file_that_is_refused_is_closed(tmp_path):
    log().save(tmp_path / "log")
    (tmp_path / "log" / "ts.npy").write_bytes(b"PK\x03\x04" + bytes(400))
    with pytest.raises(InputError, match="ts.npy cannot be read as an array"):
        rk.read_log(tmp_path / "log")
    gc.collect()  # a file that is still open warns here, and a warning is an error


@pytest.mark.slow
def test_a_wrong_header_under_its_seal_is_refused_or_harmless(tmp_path, long):
    log().save(tmp_path / "log")
    file = tmp_path / "log" / "header.json"
    plain = json.loads(file.read_bytes())
    del plain["seal"]
    for path in leaves(plain)[:: 1 if long else 3]:
        for value in (*WRONG, GONE):
            changed = with_leaf(plain, path, value)
            file.write_text(json.dumps({**changed, "seal": hash_plain(changed).hex()}))
            answered(KINDS["log folder"].read, tmp_path)


def test_a_code_that_a_log_does_not_have_is_refused(tmp_path):
    found = log()
    for name in ("kind", "account", "instrument", "pair", "order"):
        columns = {**found.columns, name: found.columns[name].copy()}
        columns[name][3] = 99
        rk.EventLog(columns, found.pair_account, found.pair_instrument, found.universe).to_parquet(
            tmp_path / "log.parquet"
        )
        with pytest.raises(InputError, match=f"log.parquet: column '{name}' has a code that the log does not have"):
            rk.EventLog.from_parquet(tmp_path / "log.parquet")


def test_decisions_that_were_edited_with_their_hash_are_found(tmp_path):
    KINDS["journal"].write(tmp_path)
    first = firsts(tmp_path, COLUMNS)[0]
    past = read_segment(tmp_path, first)
    rows = past.rows.copy()
    rows["limit"][0] += 1
    columns, header = read_parquet(file_of(tmp_path, first, COLUMNS))
    write_parquet(file_of(tmp_path, first, COLUMNS), columns, {"first": first, "hash": _hash(past._replace(rows=rows))})
    file_of(tmp_path, first, DECISIONS).write_bytes(rows.tobytes())
    with pytest.raises(
        InputError, match="was altered: the events before 40 and their decisions are not those of its snapshot"
    ):
        rk.open_journal(tmp_path)


@pytest.mark.slow
def test_a_wrong_snapshot_under_its_checksum_is_refused_or_harmless(long):
    made = session()
    for n in range(20):
        order(made, n)
    plain, arrays, _ = unpack(made.snapshot(), RULES)
    for at, path in enumerate(leaves(plain)[:: 1 if long else 9]):
        for value in (*WRONG, GONE) if long else (WRONG[at % len(WRONG)], GONE):
            changed = with_leaf(plain, path, value)
            answered(use, sealed(changed, arrays))


def sealed(header, arrays) -> bytes:
    """A snapshot of any header."""
    out = io.BytesIO()
    np.savez(out, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
    return hashlib.blake2b(out.getvalue(), digest_size=CHECKSUM).digest() + out.getvalue()


def use(snapshot: bytes) -> None:
    order(rk.Session.restore(snapshot, RULES, compiled=False), 99)
