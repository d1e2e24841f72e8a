"""Delivery of alerts: queues that never block, attempts that are counted, threads that end, and each kind of channel."""

import ast
import http.server
import json
import logging
import smtplib
import socket
import socketserver
import ssl
import sys
import threading
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from alert_parts import AT_ONCE, SECOND, Heard, alert, alert_threads, broken, refuse, session_of, sized

import riskkit as rk
from riskkit import InputError
from riskkit.desk import (
    Alert,
    AlertSystem,
    EmailChannel,
    FileChannel,
    LogChannel,
    RequestError,
    Retry,
    TableChannel,
    WebhookChannel,
)

# ---------------------------------------------------------------------- queues, retries, threads


@pytest.mark.parametrize(("overflow", "kept"), [("drop_oldest", [7, 8, 9]), ("drop_newest", [0, 1, 2])])
def test_a_full_queue_drops_as_declared(overflow, kept):
    heard = Heard()
    alerts = AlertSystem([heard], capacity=3, overflow=overflow)
    for number in range(10):
        assert alerts.post(alert(number))  # raised in any case
    assert alerts.counters() | {"dropped": 7, "waiting": 3} == alerts.counters()
    assert alerts.deliver() == 3
    assert [one.timestamp for one in heard] == kept
    frame = alerts.deliveries().set_index("alert_id")
    assert frame["status"].value_counts().to_dict() == {"dropped": 7, "delivered": 3}
    assert [int(one, 16) for one in frame.index[frame["status"] == "delivered"]] == kept


def test_there_is_no_waiting_for_room():
    with pytest.raises(InputError, match="overflow='block' is not one of 'drop_oldest', 'drop_newest'"):
        AlertSystem([Heard()], overflow="block")


def test_failures_are_tried_again_as_often_as_declared_with_longer_waits():
    waits, failures = [], iter([True, True, False, True, True, True, True, False])

    def unsure(one: Alert) -> None:
        if next(failures):
            raise ConnectionError("no line")

    alerts = AlertSystem([unsure], retry=Retry(attempts=4, backoff=0.5, factor=3.0), wait=waits.append)
    for number in range(3):
        alerts.post(alert(number))
    assert alerts.status(f"{0:016x}") == {"unsure": {"status": "waiting", "attempts": 0, "error": ""}}
    assert alerts.deliver() == 2
    assert waits == [0.5, 1.5, 0.5, 1.5, 4.5]
    frame = alerts.deliveries()
    assert frame["status"].tolist() == ["delivered", "failed", "delivered"]
    assert frame["attempts"].tolist() == [3, 4, 1]
    assert frame["error"].tolist() == ["ConnectionError: no line", "ConnectionError: no line", ""]
    found = alerts.counters()
    assert (found["raised"], found["delivered"], found["failed"], found["waiting"]) == (3, 2, 1, 0)
    assert alerts.deliver() == 0  # nothing is delivered twice


@pytest.mark.parametrize("fields", [{"attempts": 0}, {"backoff": -1.0}, {"factor": 0.0}, {"attempts": True}])
def test_a_retry_that_makes_no_sense_is_refused(fields):
    with pytest.raises(RequestError):
        Retry(**fields)


def test_a_channel_that_exits_is_a_channel_that_fails():
    def exits(one: Alert) -> None:
        sys.exit(1)

    with AlertSystem([exits], retry=AT_ONCE) as alerts:
        alerts.post(alert(1))
        alerts.post(alert(2))
        assert alerts.flush(10)
    assert alerts.counters()["failed"] == 2


def test_an_interrupted_delivery_waits_on():
    def interrupted(one: Alert) -> None:
        if not heard:
            heard.append(one)
            raise KeyboardInterrupt

    heard: list[Alert] = []
    alerts = AlertSystem([interrupted], retry=AT_ONCE)
    alerts.post(alert(1))
    with pytest.raises(KeyboardInterrupt):
        alerts.deliver()
    assert alerts.counters()["waiting"] == 1
    assert alerts.deliver() == 1


def test_delivery_in_the_background_ends_with_the_context():
    heard = Heard()
    with AlertSystem([heard]) as alerts:
        assert alert_threads() == ["riskkit alerts: heard"]
        desk = alerts.watch(session_of(sized()))
        refuse(desk, 50)
        with pytest.raises(InputError, match="delivered in the background"):
            alerts.deliver()
        alerts.add_channel(other := Heard(), "other")
        refuse(desk, 5, start=50)
    assert len(heard) == 55 and len(other) == 5  # what waits is delivered before the threads end
    assert alert_threads() == [] and alerts.counters()["waiting"] == 0
    alerts.post(alert(99))
    assert alerts.deliver() == 2
    alerts.start().post(alert(100))
    assert alerts.start() is alerts and len(alert_threads()) == 2  # started twice is started once
    assert alerts.flush(10) and alerts.close() == () and alerts.close() == ()
    assert len(heard) == 57 and alert_threads() == []


def test_closing_breaks_off_the_wait_before_another_attempt():
    tried = threading.Event()

    def fails(one: Alert) -> None:
        tried.set()
        raise ConnectionError("no line")

    alerts = AlertSystem([fails], retry=Retry(attempts=9, backoff=3_600.0)).start()
    alerts.post(alert(1))
    assert tried.wait(5)
    assert alerts.close(timeout=0.05) == () and alert_threads() == []
    assert (
        alerts.status(f"{1:016x}")["fails"] | {"status": "waiting", "attempts": 1}
        == alerts.status(f"{1:016x}")["fails"]
    )
    alerts._queues["fails"]._wait = lambda seconds: None
    alerts.deliver()
    assert alerts.status(f"{1:016x}")["fails"]["attempts"] == 9  # in all


def test_constructing_starts_and_connects_nothing(monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    channels = [WebhookChannel("http://127.0.0.1:1"), EmailChannel("127.0.0.1", "a@b", ["c@d"])]
    alerts = AlertSystem(channels)
    refuse(alerts.watch(session_of(sized())))
    assert alert_threads() == [] and alerts.counters()["waiting"] == 2


def test_no_file_of_it_reads_a_clock():
    folder = Path(rk.desk.__file__).parent / "alerts"
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert "time" not in imported and not called & {"now", "utcnow", "today", "perf_counter", "monotonic"}


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (["log"], "channel='log' cannot be called"),
        ([Heard(), Heard()], "there is a channel 'heard' already"),
        ({"": broken}, ""),
        ({5: broken}, "name=5 is not a text"),
    ],
)
def test_channels_that_do_not_fit(channels, message):
    if not message:
        assert list(AlertSystem(channels)._queues) == ["broken"]
        return
    with pytest.raises(InputError, match=message):
        AlertSystem(channels)


@pytest.mark.parametrize("options", [{"capacity": 0}, {"keep": 0}, {"deduplicate": "soon"}, {"capacity": "many"}])
def test_numbers_that_do_not_fit(options):
    with pytest.raises(InputError):
        AlertSystem([Heard()], **options)


# ---------------------------------------------------------------------- channels


def test_the_log_has_the_level_of_the_severity(caplog):
    alerts = AlertSystem([LogChannel("test.alerts")])
    for number, severity in enumerate(("INFO", "WARN", "CRITICAL")):
        alerts.post(alert(number, severity=severity, message="first line\nforged line"))
    with caplog.at_level(logging.INFO, "test.alerts"):
        alerts.deliver()
    assert [record.levelno for record in caplog.records] == [logging.INFO, logging.WARNING, logging.CRITICAL]
    assert caplog.records[0].getMessage() == "INFO size ann: first line forged line"


def test_the_table_shows_the_last_alerts_the_newest_first():
    table = TableChannel(rows=2)
    for number in range(3):
        table(alert(number, message=f"<i>{number}</i>", user="a&b"))
    html = table._repr_html_()
    assert html.index("&lt;i&gt;2") < html.index("&lt;i&gt;1") and "<i>" not in html and "a&amp;b" in html
    assert table.to_frame()["timestamp"].tolist() == [2, 1] and repr(table).count("size") == 2
    assert "Alerts" in repr(TableChannel()) and len(TableChannel().to_frame()) == 0


def test_a_file_has_one_line_of_json_an_alert(tmp_path):
    path = tmp_path / "alerts.jsonl"
    channel = FileChannel(path)
    alerts = AlertSystem([channel])
    refuse(alerts.watch(session_of(sized())), 3, account="bob")
    alerts.post(alert(1, message="two\nlines, ünï"))
    alerts.deliver()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [Alert.from_dict(json.loads(line)) for line in lines] == [
        alerts.alert(one) for one in alerts.history()["alert_id"]
    ]
    missing = AlertSystem([FileChannel(tmp_path / "no folder" / "file")], retry=AT_ONCE, wait=lambda seconds: None)
    missing.post(alert(1))
    assert missing.deliver() == 0 and "FileNotFoundError" in missing.deliveries()["error"][0]
    assert repr(channel) == "FileChannel('alerts.jsonl')"


@pytest.fixture
def web(monkeypatch):
    """A loopback server that answers with the codes it is given, then 204, and keeps what it was sent."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.taken.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(server.codes.pop(0) if server.codes else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.taken, server.codes = [], []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_posts_json_and_tries_again(web):
    web.codes[:] = [500, 200, 302, 404]
    channel = WebhookChannel(f"{web.url}/risk?token=secret", {"Authorization": "Bearer secret"})
    alerts = AlertSystem([channel], retry=Retry(attempts=2, backoff=0.0))
    for number in range(3):
        alerts.post(alert(number, trade_id="t"))
    assert alerts.deliver() == 2
    frame = alerts.deliveries()
    assert frame["status"].tolist() == ["delivered", "failed", "delivered"]  # a redirection is not followed
    assert frame["attempts"].tolist() == [2, 2, 1] and "404" in frame["error"][1]
    paths, headers, bodies = zip(*web.taken, strict=True)
    assert set(paths) == {"/risk?token=secret"} and [int(one["alert_id"], 16) for one in bodies] == [0, 0, 1, 1, 2]
    assert Alert.from_dict(bodies[0]) == alert(0, trade_id="t")
    assert headers[0]["Content-Type"] == "application/json" and headers[0]["Authorization"] == "Bearer secret"
    assert headers[0]["Idempotency-Key"] == headers[1]["Idempotency-Key"] == f"{0:016x}"
    assert "secret" not in repr(channel)


def test_a_webhook_that_never_answers_gives_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = WebhookChannel(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        alerts = AlertSystem([channel], retry=Retry(attempts=1))
        alerts.post(alert(1))
        assert alerts.deliver() == 0 and alerts.counters()["failed"] == 1
    for url in ("file:///etc/passwd", "ftp://host/x", "host", "http://"):
        with pytest.raises(InputError, match="give an http or https URL"):
            WebhookChannel(url)
    with pytest.raises(InputError, match="timeout=0 is not above zero"):
        WebhookChannel("http://host", timeout=0)


class Mail(socketserver.StreamRequestHandler):
    """Just enough of RFC 5321 for one message a connection; recipients at "nowhere" are refused."""

    def handle(self):
        self.say("220 loopback")
        recipients = []
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "DATA":
                self.say("354 go on")
                body = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    body += part[1:] if part.startswith(b"..") else part
                self.server.taken.append((recipients, message_from_bytes(body, policy=policy.default)))
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            elif word == "RCPT" and "nowhere" in line:
                self.say("550 nobody of that name")
            else:
                if word == "RCPT":
                    recipients.append(line.split("<")[1].split(">")[0])
                self.say("250 fine")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def mail():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.daemon_threads, server.taken = True, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def email(server, recipients=("head@desk.example", "risk@desk.example"), **options) -> EmailChannel:
    port = server.server_address[1]
    return EmailChannel(
        "127.0.0.1", "riskkit@desk.example", list(recipients), port=port, local_hostname="localhost", **options
    )


def test_an_e_mail_says_what_the_alert_says(mail):
    alerts = AlertSystem([email(mail)])
    evil = "ann\r\nBcc: everyone@desk.example"
    alerts.post(alert(1, user=evil, severity="CRITICAL", timestamp=SECOND, message=".\nünï"))
    assert alerts.deliver() == 1
    ((recipients, message),) = mail.taken
    assert recipients == ["head@desk.example", "risk@desk.example"]
    assert message["Subject"] == "CRITICAL: size of ann Bcc: everyone@desk.example" and message["Bcc"] is None
    assert message["Date"] == "Thu, 01 Jan 1970 00:00:01 +0000" and f"{1:016x}" in message["Message-ID"]
    text = message.get_content().replace("\r\n", "\n")
    assert text.startswith(".\nünï\n") and Alert.from_dict(json.loads(text[text.index("{") :])).user == evil


def test_e_mail_that_cannot_be_sent_is_a_failure(mail):
    partly = email(mail, ["head@desk.example", "x@nowhere"])
    alerts = AlertSystem({"partly": partly, "nobody": email(mail, ["x@nowhere"])}, retry=Retry(attempts=1))
    alerts.post(alert(1))
    assert alerts.deliver() == 0
    errors = alerts.deliveries()["error"].tolist()
    assert errors[0] == "ConnectionError: the server refused x@nowhere" and "SMTPRecipientsRefused" in errors[1]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening
        closed = EmailChannel("127.0.0.1", "a@b", ["c@d"], port=taken.getsockname()[1], timeout=1)
        with pytest.raises(OSError):
            closed(alert(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipients": []}, "give a list of at least one"),
        ({"recipients": "head@desk.example"}, "is not a list of addresses"),
        ({"security": "maybe"}, "security='maybe' is not one of"),
        ({"username": "me", "password": "secret"}, "in plain text"),
        ({"port": 0}, "port=0"),
        ({"timeout": -1}, "timeout=-1"),
        ({"host": ""}, "host=''"),
    ],
)
def test_e_mail_that_does_not_fit(options, message):
    given = {"host": "mail.example", "sender": "a@b", "recipients": ["c@d"], **options}
    with pytest.raises(InputError, match=message):
        EmailChannel(**given)
    assert "secret" not in repr(EmailChannel("h", "a@b", ["c@d"], security="tls", username="me", password="secret"))


@pytest.mark.parametrize(("security", "kind"), [("starttls", "SMTP"), ("tls", "SMTP_SSL")])
def test_a_password_goes_over_a_connection_that_is_verified(monkeypatch, security, kind):
    said = []

    class Server:
        def __init__(self, host, port, *, local_hostname, timeout, context=None):
            said.append(("connect", context and context.verify_mode))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def starttls(self, context):
            said.append(("starttls", context.verify_mode))

        def login(self, username, password):
            said.append(("login", username, password))

        def send_message(self, message):
            said.append(("send", message["To"]))
            return {}

    monkeypatch.setattr(smtplib, kind, Server)
    EmailChannel("mail", "a@b", ["c@d"], security=security, username="me", password="secret")(alert(1))
    verified = ssl.CERT_REQUIRED
    opened = [("connect", verified)] if security == "tls" else [("connect", None), ("starttls", verified)]
    assert said == [*opened, ("login", "me", "secret"), ("send", "c@d")]


def test_over_the_network_in_the_background(web, mail):
    channels = {"web": WebhookChannel(web.url), "mail": email(mail), "down": broken, "heard": (heard := Heard())}
    plain, watched = refuse(session_of(sized()), 20), session_of(sized())
    with AlertSystem(channels, retry=AT_ONCE) as alerts:
        refuse(alerts.watch(watched), 20)
        assert alerts.flush(20)
    assert watched.digest == plain.digest
    assert [body["alert_id"] for _, _, body in web.taken] == heard.ids == alerts.history()["alert_id"].tolist()
    assert len(mail.taken) == 20 and alert_threads() == []
    assert alerts.counters() | {"delivered": 60, "failed": 20, "waiting": 0} == alerts.counters()
