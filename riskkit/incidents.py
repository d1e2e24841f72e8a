"""Incidents: seeded event streams calibrated to reported trading accidents, and how soon rules stop them.

Catalogue: `Incident`, `incident`, `catalogue`, `incident_log`
Use:       `inject`, `stop_report`, `StopReport`, `compare_stops`
Choose:    `detection`, `Detection`
"""

from riskkit._names import suggest_names
from riskkit.replay.incidents.detection import detection
from riskkit.replay.incidents.detection_result import Detection
from riskkit.replay.incidents.incident import Incident, catalogue, incident
from riskkit.replay.incidents.inject import inject
from riskkit.replay.incidents.stop import StopReport, compare_stops, stop_report
from riskkit.replay.incidents.stream import incident_log

__all__ = [
    "Detection",
    "Incident",
    "StopReport",
    "catalogue",
    "compare_stops",
    "detection",
    "incident",
    "incident_log",
    "inject",
    "stop_report",
]

suggest_names(__name__)
