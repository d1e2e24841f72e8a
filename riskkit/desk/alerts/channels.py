"""Channels within the process: the log, a table in the notebook, a file. A channel is any function of an alert.

It returns when the alert is delivered and raises when it is not; then it is tried again. What needs the network stands
in `riskkit.desk.alerts.network`.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from pathlib import Path
from typing import Any

from riskkit._check import whole_number
from riskkit._show import Shown, table_html, table_text
from riskkit.desk.alerts.alert import Alert
from riskkit.replay.action import time_text

__all__ = ["FileChannel", "LogChannel", "TableChannel"]

LEVELS = {"INFO": logging.INFO, "WARN": logging.WARNING, "CRITICAL": logging.CRITICAL}


class LogChannel:
    """Alerts to the standard `logging`, at the level of their severity.

    Parameters
    ----------
    logger : str or logging.Logger
        Which one.

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
    """The last alerts as a table in the notebook, the newest first.

    Parameters
    ----------
    rows : int
        How many are kept.

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
        """Put one on top."""
        self.alerts.appendleft(alert)

    def to_frame(self) -> Any:
        """The same alerts, indexed by their id."""
        import pandas as pd

        rows = [alert.to_dict() for alert in list(self.alerts)]
        return pd.DataFrame(rows, columns=list(Alert._checks)).set_index("alert_id")

    def _table(self) -> tuple[str, list[str], list[list[str]]]:
        rows = [
            [one.severity, one.user, one.rule, one.action, time_text(one.timestamp), one.message]
            for one in list(self.alerts)
        ]
        return "Alerts", ["severity", "user", "rule", "action", "time", "message"], rows

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(*self._table())

    def _repr_html_(self) -> str:
        return table_html(*self._table())


class FileChannel:
    """Alerts to a file, one JSON object a line, appended; `Alert.from_dict` reads a line back.

    Parameters
    ----------
    path : str or Path
        The file is opened for each alert, so it may be moved away at any time.

    Examples
    --------
    >>> FileChannel("alerts.jsonl")
    FileChannel('alerts.jsonl')
    """

    name = "file"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __call__(self, alert: Alert) -> None:
        """Append one line."""
        line = json.dumps(alert.to_dict(), ensure_ascii=False) + "\n"
        with self.path.open("ab", buffering=0) as file:
            file.write(line.encode())

    def __repr__(self) -> str:
        return f"FileChannel({self.path.name!r})"
