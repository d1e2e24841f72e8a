"""Public names of the replay beside those at top level."""

from .live.early_warning import EarlyWarning as EarlyWarning
from .live.early_warning import early_warnings as early_warnings
from .live.engine import Engine as Engine
from .log.floorsheet import log_from_trades as log_from_trades
from .log.floorsheet import synthetic_floorsheet as synthetic_floorsheet
from .log.tiny_log import tiny_log as tiny_log
from .results.breaks import reconciliation_breaks as reconciliation_breaks
from .results.cancelled import cancelled_orders as cancelled_orders
from .results.decisions import DecisionKind as DecisionKind
from .results.headroom import headroom_tree as headroom_tree
from .results.waits import waiting_messages as waiting_messages
from .run.comparison import ReplayComparison as ReplayComparison
from .worst_case.answer import WorstCase as WorstCase
