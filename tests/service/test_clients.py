"""The clients of README.md talk to a real service; without Go, the bytes that its program sends do."""

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
HOST = "127.0.0.1:8300"
ASKED = "the order is refused by size (one order of at most 5 in quantity): observed 9, limit 5."
FROM_GO = (  # what net/http of Go 1.19 sends
    "POST /orders HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {size}\r\n"
    "Authorization: Bearer {key}\r\nAccept-Encoding: gzip\r\n\r\n{body}"
)


def block_of(language):
    (block,) = [block for block in re.findall(rf"```{language}\n(.*?)```", TEXT, re.S) if HOST in block]
    return block


def test_the_python_client_of_the_readme_prints_the_answer(serve, monkeypatch, capsys):
    served = serve()
    monkeypatch.chdir(served.folder.parent)
    block = block_of("python").replace(HOST, f"127.0.0.1:{served.port}")
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == f"False {ASKED}"


def test_what_the_go_client_of_the_readme_sends_is_understood(serve):
    served = serve()
    (body,) = re.findall(r"order := `(.*)`", block_of("go"))
    host = f"127.0.0.1:{served.port}"
    text = FROM_GO.format(host=host, size=len(body), key=served.keys["trade"], body=body)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(text.encode())
        found = b""
        while not found.endswith(b"}"):
            found += connection.recv(65536)
    head, _, answer = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(answer)["actions"][0]["reason"] == ASKED


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed; run: apt-get install golang-go")
def test_the_go_client_of_the_readme_prints_the_answer(serve, tmp_path):
    served = serve()
    program = tmp_path / "client.go"
    program.write_text(block_of("go").replace(HOST, f"127.0.0.1:{served.port}"))
    folders = {
        "GOCACHE": str(tmp_path / "cache"),
        "GOPATH": str(tmp_path / "go"),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    done = subprocess.run(
        ["go", "run", str(program)], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **folders}
    )
    assert done.stdout.startswith("200 "), done.stderr
    assert json.loads(done.stdout[4:])["actions"][0]["reason"] == ASKED
