"""`LiveDesk` updates book, market, rules and alerts together; `LiveDashboard` shows it in a notebook or a page."""

from riskkit.desk.dashboard.live_dashboard import LiveDashboard
from riskkit.desk.dashboard.live_desk import LiveDesk

__all__ = ["LiveDashboard", "LiveDesk"]
