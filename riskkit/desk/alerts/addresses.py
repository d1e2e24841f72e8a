"""Where alerts go: URLs, headers, hosts and e-mail addresses, checked when a channel is made and not at its first alert."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from riskkit._check import InputError, shown
from riskkit._show import CONTROLS
from riskkit.desk.core.records import as_text

HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?|[\da-f]*:[\da-f:.]+(%\w+)?", re.ASCII | re.IGNORECASE)
FRAMING = ("content-length", "transfer-encoding", "connection", "host")
"""Headers that say where a request ends or goes: they are those of the request that is sent."""


def checked_url(url: Any) -> str:
    """Scheme and host of an http or https URL, to be shown: the rest may hold a secret."""
    from urllib.parse import urlsplit

    text = as_text(url, "url")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"url is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"url has the scheme {parts.scheme!r}; give an http or https URL with a host")
    if not re.fullmatch(r"[!-~]+", text):
        raise InputError("url holds a space, a control character or a letter beyond ASCII; write it as %20, ...")
    if "@" in parts.netloc:
        raise InputError("url holds a user or a password; give them in headers, as {'Authorization': ...}")
    if port == 0:
        raise InputError("url has port 0; give one from 1 to 65535")
    return f"{parts.scheme}://{checked_host(host, 'the host of url')}"


def checked_host(value: Any, name: str) -> str:
    """Name or address of a machine."""
    text = as_text(value, name)
    if not HOST.fullmatch(text) or len(text) > 253:
        raise InputError(f"{name}={shown(value)} is no name and no address of a machine; give 'mail.example' or '::1'")
    return text


def checked_headers(headers: Any) -> dict[str, str]:
    """Headers of a request; a line break in one would begin another."""
    if not isinstance(headers, Mapping):
        raise InputError(f"headers={shown(headers)} is not a mapping; give {{'Authorization': ...}}")
    for name, value in headers.items():
        is_name = isinstance(name, str) and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name)
        if not is_name or not isinstance(value, str) or not re.fullmatch(r"[ -~\t\xa0-\xff]*", value):
            raise InputError(f"headers: {shown(name)} is no header of one line")
        if name.lower() in FRAMING:
            raise InputError(f"headers: {shown(name)} is set by the request itself; leave it out")
    return dict(headers)


def mail_address(value: Any, name: str) -> str:
    """One e-mail address, with or without a name before it."""
    from email.utils import getaddresses

    text = as_text(value, name)
    found = getaddresses([text])
    one = len(found) == 1 and re.fullmatch(r"[^\s,:;<>@]+@[^\s,:;<>@]+", found[0][1])
    if not one or CONTROLS.search(text) or text.rstrip().endswith(";"):  # "team: a@b;" is a group
        raise InputError(f"{name}={shown(value)} is not one e-mail address; give 'risk@desk.example'")
    return text


def one_line_text(value: Any, name: str, *, secret: bool = False) -> str:
    """A text without control characters; a secret one is not shown."""
    if not isinstance(value, str) or CONTROLS.search(value):
        raise InputError(f"{name}{'' if secret else f'={shown(value)}'} is not a text of one line")
    return value
