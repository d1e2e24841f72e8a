"""Channels that deliver alerts: the log, a table in the notebook, a file, a webhook, e-mail.

A channel returns when the alert is delivered and raises if it is not; delivery is then retried. The network channels
stop after a timeout, so that their thread can be stopped, and send the alert's id, because a receiver may get an alert
twice when an answer was lost. No repr contains a secret.
"""

from __future__ import annotations

import datetime
import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from riskkit._check import InputError, one_line, one_of, positive, shown, whole_number
from riskkit._files import append_whole, path_of
from riskkit._show import Shown, table_html, table_text
from riskkit.desk.alerts.addresses import checked_headers, checked_host, checked_url, mail_address, one_line_text
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.deadline import Deadline
from riskkit.replay.results.decisions import time_text

LAST_PORT = 65_535
LEVELS = {"INFO": logging.INFO, "WARN": logging.WARNING, "CRITICAL": logging.CRITICAL}


class AlertChannel(Protocol):
    """A channel: any callable that delivers an alert and raises if it cannot; its optional attribute `name` names it.

    Examples
    --------
    >>> from riskkit.desk import AlertSystem
    >>> def desk_screen(alert: Alert) -> None: ...
    >>> AlertSystem([desk_screen]).subscribe("desk_screen", minimum_severity="WARN").channel
    'desk_screen'
    """

    def __call__(self, alert: Alert, /) -> Any:
        """Deliver one alert."""


class LogChannel:
    """Alerts to the standard `logging`, at the level of their severity.

    Parameters
    ----------
    logger : str or logging.Logger
        Logger or its name.

    Examples
    --------
    >>> LogChannel("my desk")
    LogChannel('my desk')
    """

    name = "log"

    def __init__(self, logger: str | logging.Logger = "riskkit.desk.alerts") -> None:
        self.logger = logging.getLogger(logger) if isinstance(logger, str) else logger

    def __call__(self, alert: Alert) -> None:
        """Write one line."""
        self.logger.log(LEVELS[alert.severity], "%s", alert)

    def __repr__(self) -> str:
        return f"LogChannel({self.logger.name!r})"


class TableChannel(Shown):
    """The last alerts as a table in the notebook, newest first.

    Parameters
    ----------
    rows : int
        Number of alerts to keep.

    Raises
    ------
    InputError
        Rows below one.

    Examples
    --------
    >>> table = TableChannel()
    >>> table(Alert("0011223344556677", "ann", "VarLimit", "WARN", "too much.", 0))
    >>> print(table)
    Alerts
    -----------------------------------------------------------------
    severity  user      rule  action                  time    message
    WARN       ann  VarLimit   ALERT  1970-01-01T00:00:00Z  too much.
    -----------------------------------------------------------------
    """

    name = "table"

    def __init__(self, rows: int = 50) -> None:
        self.alerts: deque[Alert] = deque(maxlen=whole_number(rows, "rows"))

    def __call__(self, alert: Alert) -> None:
        """Add one alert."""
        self.alerts.appendleft(alert)

    def to_frame(self) -> Any:
        """The same alerts, indexed by their id."""
        import pandas as pd

        rows = [alert.to_dict() for alert in list(self.alerts)]
        return pd.DataFrame(rows, columns=list(Alert._fields)).set_index("alert_id")

    def _table(self) -> tuple[str, list[str], list[list[str]]]:
        rows = [
            [alert.severity, alert.user, alert.rule, alert.action, time_text(alert.timestamp), alert.message]
            for alert in list(self.alerts)
        ]
        return "Alerts", ["severity", "user", "rule", "action", "time", "message"], rows

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(*self._table())

    def _repr_html_(self) -> str:
        return table_html(*self._table())


class FileChannel:
    """Alerts appended to a file, one JSON object per line; `Alert.from_dict` reads a line back.

    Parameters
    ----------
    path : str or Path
        The file is opened for each alert, so it may be moved at any time. A line is on disk as a whole when the alert
        counts as delivered; what a full disk cuts off is taken back.

    Examples
    --------
    >>> FileChannel("alerts.jsonl")
    FileChannel('alerts.jsonl')
    """

    name = "file"

    def __init__(self, path: str | Path) -> None:
        self.path = path_of(path)
        if not str(path) or self.path.is_dir():
            raise InputError(f"path={shown(path)} is not that of a file; give a text such as 'alerts.jsonl'")

    def __call__(self, alert: Alert) -> None:
        """Append one line."""
        line = json.dumps(alert.to_dict(), ensure_ascii=False) + "\n"
        with self.path.open("a+b", buffering=0) as file:
            append_whole(file, line.encode(errors="backslashreplace"))

    def __repr__(self) -> str:
        return f"FileChannel({self.path.name!r})"


class WebhookChannel:
    """Alerts to a URL: a POST of the alert as JSON, with its id in the header Idempotency-Key.

    Any answer but 2xx is a failure, redirections included.

    Parameters
    ----------
    url : str
        With http or https.
    headers : mapping, optional
        Additional headers, such as ``{"Authorization": ...}``.
    timeout : float
        Seconds in all.

    Raises
    ------
    InputError
        A URL that is no address, of another scheme or with a password, a header that is none or frames the request, a timeout
        that is not above zero.

    Examples
    --------
    >>> WebhookChannel("https://desk.example/alerts?token=secret")
    WebhookChannel('https://desk.example')
    """

    name = "webhook"

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, timeout: float = 5.0) -> None:
        self._shown = checked_url(url)
        self.url = url
        self.headers = {"Content-Type": "application/json", **checked_headers(headers or {})}
        self.timeout = positive(timeout, "timeout")

    def __call__(self, alert: Alert) -> None:
        """Send one alert and read the status of the answer."""
        from urllib.parse import quote
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class NoRedirect(HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        body = json.dumps(alert.to_dict()).encode()
        headers = {**self.headers, "Idempotency-Key": quote(alert.alert_id)}
        request = Request(self.url, body, headers, method="POST")
        deadline = Deadline(self.timeout)
        opener = build_opener(NoRedirect, *deadline.handlers())
        # the status is the answer: its text is not read
        deadline.run(lambda: opener.open(request, timeout=self.timeout).close())

    def __repr__(self) -> str:
        return f"WebhookChannel({self._shown!r})"


class EmailChannel:
    """Alerts by e-mail, one message each, with the alert's id as Message-ID and its time as Date.

    Parameters
    ----------
    host : str
        Mail server.
    sender : str
    recipients : sequence of str
    port : int
        Usually 25, 465 (tls) or 587 (starttls).
    security : {"none", "starttls", "tls"}
    username, password : str, optional
        Login; requires "starttls" or "tls".
    timeout : float
        Seconds in all.
    local_hostname : str, optional
        Name of this machine in the greeting; by default looked up.

    Raises
    ------
    InputError
        No recipient, an address or a host that is none, a login without security, an invalid port or timeout.

    Examples
    --------
    >>> EmailChannel("mail.example", "risk@desk.example", ["head@desk.example"], security="tls", port=465)
    EmailChannel('mail.example', 465)
    """

    name = "email"

    def __init__(
        self,
        host: str,
        sender: str,
        recipients: Sequence[str],
        *,
        port: int = 25,
        security: str = "none",
        username: str | None = None,
        password: str | None = None,
        timeout: float = 10.0,
        local_hostname: str | None = None,
    ) -> None:
        self.host = checked_host(host, "host")
        self.port = whole_number(port, "port")
        if self.port > LAST_PORT:
            raise InputError(f"port={self.port} is above {LAST_PORT}, the last one")
        self.sender = mail_address(sender, "sender")
        if isinstance(recipients, str) or not recipients:
            raise InputError(f"recipients={shown(recipients)} is not a list of addresses; give a list of at least one")
        self.recipients = [mail_address(recipient, "a recipient") for recipient in recipients]
        self.security = one_of(security, ("none", "starttls", "tls"), "security")
        if username is not None and self.security == "none":
            raise InputError(
                "a username without security would send its password in plain text; use 'starttls' or 'tls'"
            )
        self._login = (
            None if username is None else one_line_text(username, "username"),
            "" if password is None else one_line_text(password, "password", secret=True),
        )
        self.timeout = positive(timeout, "timeout")
        self.local_hostname = None if local_hostname is None else checked_host(local_hostname, "local_hostname")

    def __call__(self, alert: Alert) -> None:
        """Send one message to all recipients."""
        deadline = Deadline(self.timeout)
        deadline.run(lambda: self._send(alert, deadline))

    def _send(self, alert: Alert, deadline: Deadline) -> None:
        import smtplib
        import ssl

        options: dict[str, Any] = {"local_hostname": self.local_hostname, "timeout": self.timeout}
        kind: type[smtplib.SMTP] = smtplib.SMTP
        if self.security == "tls":
            kind, options["context"] = smtplib.SMTP_SSL, ssl.create_default_context()
        with deadline.watched(kind)(self.host, self.port, **options) as server:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            username, password = self._login
            if username is not None:
                server.login(username, password)
            refused = server.send_message(self._message(alert))
        if refused:
            raise ConnectionError(f"the server refused {', '.join(sorted(refused))}")

    def _message(self, alert: Alert) -> Any:
        from email.message import EmailMessage
        from email.utils import format_datetime
        from urllib.parse import quote

        message = EmailMessage()
        message["Subject"] = " ".join(one_line(f"{alert.severity}: {alert.rule} of {alert.user}").split())
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = format_datetime(
            datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
            + datetime.timedelta(microseconds=alert.timestamp // 1000)
        )
        message["Message-ID"] = f"<{quote(alert.alert_id)}@riskkit.invalid>"
        text = alert.message.encode(errors="backslashreplace").decode()
        message.set_content(f"{text}\n\n{json.dumps(alert.to_dict(), indent=2)}\n")
        return message

    def __repr__(self) -> str:
        return f"EmailChannel({self.host!r}, {self.port})"
