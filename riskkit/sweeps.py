"""Sweeps: many settings of a rule set over one log, threshold curves, utilization and rule effectiveness.

Run:             `sweep`, `SweepResult`, `Sampler`, `threshold_panel`, `ThresholdPanel`, `ThresholdReport`,
                 `ThresholdCurve`
Value of a rule: `utilization`, `Utilization`, `effectiveness`, `Effectiveness`
Choose:          `calibrate`, `Calibration`, `pareto_front`, `propose_limits`, `ProposedLimits`, `calibrate_loss_limit`, `LossLimits`
"""

from riskkit._names import suggest_names
from riskkit.replay.sweeps.calibration.calibrate import calibrate
from riskkit.replay.sweeps.calibration.calibration_result import Calibration
from riskkit.replay.sweeps.calibration.loss_limit import calibrate_loss_limit
from riskkit.replay.sweeps.calibration.loss_limit_result import LossLimits
from riskkit.replay.sweeps.calibration.objective import pareto_front
from riskkit.replay.sweeps.grid.settings import Sampler
from riskkit.replay.sweeps.many.sweep import SweepResult, sweep
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve
from riskkit.replay.sweeps.proposals.propose_limits import ProposedLimits, propose_limits
from riskkit.replay.sweeps.rule_value.effectiveness import Effectiveness, effectiveness
from riskkit.replay.sweeps.rule_value.utilization import Utilization, utilization
from riskkit.replay.sweeps.threshold_panel import ThresholdPanel, ThresholdReport, threshold_panel

__all__ = [
    "Calibration",
    "Effectiveness",
    "LossLimits",
    "ProposedLimits",
    "Sampler",
    "SweepResult",
    "ThresholdCurve",
    "ThresholdPanel",
    "ThresholdReport",
    "Utilization",
    "calibrate",
    "calibrate_loss_limit",
    "effectiveness",
    "pareto_front",
    "propose_limits",
    "sweep",
    "threshold_panel",
    "utilization",
]

suggest_names(
    __name__,
    {
        "sweep": "optimize grid_search hyperopt param_product run_combs",
        "calibrate_loss_limit": "stop_loss_level",
    },
)
