"""Alerts: what the rules decide, told to people; no channel ever delays or changes a decision."""

from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.channels import FileChannel, LogChannel, TableChannel
from riskkit.desk.alerts.conditions import CONDITIONS, ConcentrationLimit, DrawdownLimit, condition
from riskkit.desk.alerts.filters import Subscription
from riskkit.desk.alerts.history import UnknownAlertError
from riskkit.desk.alerts.network import EmailChannel, WebhookChannel
from riskkit.desk.alerts.outbox import Retry
from riskkit.desk.alerts.system import AlertSystem

__all__ = [
    "CONDITIONS",
    "Alert",
    "AlertSystem",
    "ConcentrationLimit",
    "DrawdownLimit",
    "EmailChannel",
    "FileChannel",
    "LogChannel",
    "Retry",
    "Subscription",
    "TableChannel",
    "UnknownAlertError",
    "WebhookChannel",
    "condition",
]
