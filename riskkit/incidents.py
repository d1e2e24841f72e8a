"""Incidents: seeded event streams calibrated to reported trading accidents, and how soon rules stop them.

Catalogue: `Incident`, `incident`, `catalogue`, `incident_log`
Use:       `inject`, `stop_report`, `StopReport`, `compare_stops`
"""

from riskkit.replay.incidents.incident import Incident, catalogue, incident
from riskkit.replay.incidents.inject import inject
from riskkit.replay.incidents.stop import StopReport, compare_stops, stop_report
from riskkit.replay.incidents.stream import incident_log

__all__ = [
    "Incident",
    "StopReport",
    "catalogue",
    "compare_stops",
    "incident",
    "incident_log",
    "inject",
    "stop_report",
]
