"""Channels over the network, made by whoever wants them and by nobody else: a webhook, and e-mail.

Both give up after a timeout, so that their thread can be stopped, and name the alert's id to the receiver, who may see
an alert twice when an answer was lost on its way. Secrets are in no repr.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from riskkit._check import InputError, one_of, positive, whole_number
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.fields import as_text

__all__ = ["EmailChannel", "WebhookChannel"]


class WebhookChannel:
    """Alerts to a URL: a POST of the alert as JSON, with its id as the header Idempotency-Key.

    An answer other than 2xx is a failure; a redirection too, for an alert goes where it was sent.

    Parameters
    ----------
    url : str
        Of http or https.
    headers : mapping, optional
        To be sent besides, as ``{"Authorization": ...}``.
    timeout : float
        Seconds.

    Raises
    ------
    InputError
        A URL of another kind, a timeout that is not above zero.

    Examples
    --------
    >>> WebhookChannel("https://desk.example/alerts?token=secret")
    WebhookChannel('https://desk.example')
    """

    name = "webhook"

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, timeout: float = 5.0) -> None:
        from urllib.parse import urlsplit

        parts = urlsplit(as_text(url, "url"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"url of the scheme {parts.scheme!r} does not fit; give one of http or https with a host")
        self.url = url
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        self.timeout = positive(timeout, "timeout")
        self._shown = f"{parts.scheme}://{parts.hostname}"

    def __call__(self, alert: Alert) -> None:
        """Send one, and read the answer."""
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class Stay(HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        body = json.dumps(alert.to_dict()).encode()
        headers = {**self.headers, "Idempotency-Key": alert.alert_id}
        with build_opener(Stay).open(Request(self.url, body, headers, method="POST"), timeout=self.timeout) as answer:
            answer.read()

    def __repr__(self) -> str:
        return f"WebhookChannel({self._shown!r})"


class EmailChannel:
    """Alerts by e-mail, one message each, with the alert's id as Message-ID and its time as Date.

    Parameters
    ----------
    host : str
        Of the mail server.
    sender : str
    recipients : sequence of str
    port : int
        25, 465 (tls) or 587 (starttls) as a rule.
    security : {"none", "starttls", "tls"}
    username, password : str, optional
        To log in with; only over "starttls" or "tls".
    timeout : float
        Seconds.
    local_hostname : str, optional
        How this machine greets the server; found by a look-up without it.

    Raises
    ------
    InputError
        No recipient, a password without security, a port or timeout that does not fit.

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
        self.host = as_text(host, "host")
        self.port = whole_number(port, "port")
        self.sender = as_text(sender, "sender")
        if isinstance(recipients, str) or not recipients:
            raise InputError(f"recipients={recipients!r} is no list of addresses; give at least one in a list")
        self.recipients = [as_text(one, "a recipient") for one in recipients]
        self.security = one_of(security, ("none", "starttls", "tls"), "security")
        if username is not None and self.security == "none":
            raise InputError(
                "a username without security would send its password in the clear; say 'starttls' or 'tls'"
            )
        self._login = username, password or ""
        self.timeout = positive(timeout, "timeout")
        self.local_hostname = local_hostname

    def __call__(self, alert: Alert) -> None:
        """Send one message to all recipients."""
        import smtplib
        import ssl

        options: dict[str, Any] = {"local_hostname": self.local_hostname, "timeout": self.timeout}
        kind: type[smtplib.SMTP] = smtplib.SMTP
        if self.security == "tls":
            kind, options["context"] = smtplib.SMTP_SSL, ssl.create_default_context()
        with kind(self.host, self.port, **options) as server:
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

        message = EmailMessage()
        message["Subject"] = " ".join(f"{alert.severity}: {alert.rule} of {alert.user}".split())
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = format_datetime(
            datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
            + datetime.timedelta(microseconds=alert.timestamp // 1000)
        )
        message["Message-ID"] = f"<{alert.alert_id}@riskkit.invalid>"
        message.set_content(f"{alert.message}\n\n{json.dumps(alert.to_dict(), indent=2)}\n")
        return message

    def __repr__(self) -> str:
        return f"EmailChannel({self.host!r}, {self.port})"
