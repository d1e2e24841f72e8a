"""`AlertSystem`: alerts of the rules' decisions, filtered and delivered to channels without delaying a decision."""

from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.channels import (
    AlertChannel,
    EmailChannel,
    FileChannel,
    LogChannel,
    TableChannel,
    WebhookChannel,
)
from riskkit.desk.alerts.conditions import CONDITIONS, condition
from riskkit.desk.alerts.delivery import Retry
from riskkit.desk.alerts.history import Subscription, UnknownAlertError
from riskkit.desk.alerts.system import AlertSystem

__all__ = [
    "CONDITIONS",
    "Alert",
    "AlertChannel",
    "AlertSystem",
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
