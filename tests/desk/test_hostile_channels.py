"""What comes from outside cannot hold a channel, forge a line of a log, or add a recipient."""

from __future__ import annotations

import logging
import socket
import threading

import pytest

from riskkit import InputError
from riskkit.desk import Alert, EmailChannel, LogChannel, WebhookChannel

HOSTILE = Alert("id\r\nX: y", "ann\x1b[2J", "limit\x00", "WARN", "boom\nCRITICAL forged\u2028", 0)


class Drip:
    """A server that answers one byte at a time, and never ends."""

    def __init__(self, begin: bytes) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port, self.ended, self.begin = self.server.getsockname()[1], threading.Event(), begin
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self.server, self.server.accept()[0] as client:
            try:
                client.sendall(self.begin)
                while not self.ended.wait(0.02):
                    client.sendall(b"x")
            except OSError:
                pass


@pytest.mark.parametrize(
    ("begin", "channel"),
    [
        (b"HTTP/1.1 200 OK\r\nX-", lambda port: WebhookChannel(f"http://127.0.0.1:{port}/", timeout=0.2)),
        (b"220-", lambda port: EmailChannel("127.0.0.1", "a@b", ["c@d"], port=port, timeout=0.2, local_hostname="x")),
    ],
    ids=["webhook", "e-mail"],
)
def test_a_server_that_drips_holds_a_channel_no_longer_than_its_timeout(begin, channel):
    server = Drip(begin)
    with pytest.raises(TimeoutError, match="not done within 0.2 s"):
        channel(server.port)(HOSTILE)
    server.ended.set()


def test_an_endless_answer_is_not_read():
    server = Drip(b"HTTP/1.1 200 OK\r\n\r\n")
    WebhookChannel(f"http://127.0.0.1:{server.port}/", timeout=30.0)(HOSTILE)
    server.ended.set()


def test_a_line_of_a_log_is_one_line(caplog):
    with caplog.at_level(logging.INFO):
        LogChannel()(HOSTILE)
    assert caplog.messages == ["WARN limit ann [2J: boom CRITICAL forged"]


def test_a_message_has_the_headers_that_were_meant():
    message = EmailChannel("mail.example", "a@b", ["c@d"])._message(HOSTILE)
    assert message["Message-ID"] == "<id%0D%0AX%3A%20y@riskkit.invalid>" and message["X"] is None
    assert message["Subject"] == "WARN: limit of ann [2J"


@pytest.mark.parametrize("address", ["x@y, evil@z", "x@y\nBcc: evil@z", "x", "", "x@y\x00", "<x@y> <evil@z>"])
def test_an_address_is_one_address(address):
    for sender, recipients in ((address, ["c@d"]), ("a@b", [address])):
        with pytest.raises(InputError, match="e-mail address|not a text"):
            EmailChannel("mail.example", sender, recipients)


def test_an_address_may_have_a_name():
    assert EmailChannel("mail.example", "Risk <a@b>", ["c@d"])._message(HOSTILE)["From"] == "Risk <a@b>"


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://x:port/", "http://x:99999/", "http://x/a b", "http://x/\r\nX: y", "http://é/"]
)
def test_a_url_is_an_address(url):
    with pytest.raises(InputError, match="url"):
        WebhookChannel(url)


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}, {"X": 5}, {"": "a"}, {"X": "€"}])
def test_a_header_is_one_line(headers):
    with pytest.raises(InputError, match="headers: .* is no header of one line"):
        WebhookChannel("http://x/", headers=headers)
