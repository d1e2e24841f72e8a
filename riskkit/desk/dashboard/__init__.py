"""A desk that is looked at: `LiveDesk` moves book, market, rules and alerts together, `LiveDashboard` shows it."""

from riskkit.desk.dashboard.live_dashboard import LiveDashboard
from riskkit.desk.dashboard.live_desk import LiveDesk, Ticket

__all__ = ["LiveDashboard", "LiveDesk", "Ticket"]
