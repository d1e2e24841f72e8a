"""The lock of a folder: of one session at a time, and of no dead process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from riskkit import InputError
from riskkit._folder_lock import FolderLock


def test_a_second_session_is_refused_until_the_first_is_closed(tmp_path):
    first = FolderLock(tmp_path)
    with pytest.raises(InputError, match=f"is held by process {os.getpid()}, which is running; one session writes"):
        FolderLock(tmp_path)
    first.release()
    first.release()
    FolderLock(tmp_path).release()


def test_the_lock_of_a_killed_process_is_free(tmp_path, caplog):
    hold = "import pathlib, os, signal, sys; from riskkit._folder_lock import FolderLock\n"
    hold += "lock = FolderLock(pathlib.Path(sys.argv[1])); print(os.getpid(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        holder = child.stdout.readline().strip()
        with pytest.raises(InputError, match=f"is held by process {holder}, which is running"):
            FolderLock(tmp_path)
        child.kill()
    FolderLock(tmp_path).release()
    assert f"process {holder} ended without closing its session" in caplog.text
