"""What comes from outside cannot hold a channel, forge a line of a log, or add a recipient."""

from __future__ import annotations

import logging
import socket
import threading

import pytest

from riskkit import InputError
from riskkit.desk import Alert, EmailChannel, FileChannel, LogChannel, WebhookChannel
from riskkit.desk.alerts.deadline import Deadline

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


@pytest.mark.parametrize(
    "channel",
    [
        WebhookChannel("http://desk.example/", timeout=0.2),
        EmailChannel("desk.example", "a@b", ["c@d"], timeout=0.2, local_hostname="x"),
        EmailChannel("127.0.0.1", "a@b", ["c@d"], timeout=0.2),  # which looks up its own name
    ],
    ids=["webhook", "e-mail", "own name"],
)
def test_a_name_server_that_says_nothing_holds_a_channel_no_longer(channel, monkeypatch):
    said = threading.Event()
    for lookup in ("getaddrinfo", "getfqdn"):
        monkeypatch.setattr(socket, lookup, lambda *asked, **options: said.wait())
    with pytest.raises(TimeoutError, match="not done within 0.2 s"):
        channel(HOSTILE)
    said.set()


def test_many_addresses_that_do_not_answer_hold_a_channel_no_longer(monkeypatch):
    tried = []

    def connect(address, *options, **named):
        tried.append(threading.Event())
        tried[-1].wait()

    monkeypatch.setattr(socket, "create_connection", connect)
    channel = WebhookChannel("http://desk.example/", timeout=0.2)
    with pytest.raises(TimeoutError, match="not done within 0.2 s"):
        channel(HOSTILE)
    tried[0].set()


def test_an_error_of_a_conversation_is_told_as_it_is():
    for error in (TimeoutError("of the connection"), ValueError("gone"), SystemExit(2)):

        def fail(error=error):
            raise error

        with pytest.raises(type(error), match=str(error)):
            Deadline(30.0).run(fail)


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


@pytest.mark.parametrize("host", ["", "a b", "a\r\nQUIT", "a..b", "x" * 64, "h\0", "a*b", "a@b", "é"])
@pytest.mark.parametrize("name", ["host", "local_hostname", "the host of url"])
def test_a_host_is_a_name_or_an_address_of_a_machine(name, host):
    made = {
        "host": lambda: EmailChannel(host, "a@b", ["c@d"]),
        "local_hostname": lambda: EmailChannel("mail", "a@b", ["c@d"], local_hostname=host),
        "the host of url": lambda: WebhookChannel(f"https://{host}/"),
    }
    with pytest.raises(InputError, match=rf"^{name}=.* is no(t a text| name and no address of a machine)|^url "):
        made[name]()


def test_hosts_and_ports_of_every_form():
    for host in ("localhost", "mail.example.", "mail_1.example", "10.0.0.1", "::1", "fe80::1%eth0"):
        assert EmailChannel(host, "a@b", ["c@d"], port=65_535).host == host
    assert repr(WebhookChannel("http://[::1]:8080/x")) == "WebhookChannel('http://::1')"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WebhookChannel("https://ann:secret@desk/"), "url holds a user or a password; give them in headers"),
        (lambda: WebhookChannel("https://desk:0/"), "url has port 0"),
        (lambda: WebhookChannel("https://desk/", [("A", "b")]), "is not a mapping; give {'Authorization': ...}"),
        (lambda: WebhookChannel("https://desk/", {"Content-length": "0"}), "'Content-length' is set by the request itself"),
        (lambda: EmailChannel("mail", "team: a@b;", ["c@d"]), "is not one e-mail address"),
        (lambda: EmailChannel("mail", "a@b", ["c@d"], port=65_536), "port=65536 is above 65535, the last one"),
        (lambda: EmailChannel("mail", "a@b", ["c@d"], username="a\r\n", security="tls"), "is not a text of one line"),
        (lambda: EmailChannel("mail", "a@b", ["c@d"], password="secret\n"), "^password is not a text of one line$"),
        *((lambda path=path: FileChannel(path), "is not that of a file") for path in ("", "/")),
        *((lambda path=path: FileChannel(path), "is not a path") for path in (5, None)),
        (lambda: FileChannel("a\0"), "cannot be the name of a file"),
    ],
)  # fmt: skip
def test_what_no_alert_could_be_sent_by_is_refused_when_it_is_made(make, message):
    with pytest.raises(InputError, match=message) as refused:
        make()
    assert "secret" not in str(refused.value)


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
