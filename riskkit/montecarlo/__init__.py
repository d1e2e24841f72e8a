"""Monte Carlo simulation: VaR and ES with standard errors.

- Simulation: `simulate_risk`, `SimulationResult`
- Return models: `NormalReturns`, `StudentTReturns`, `GaussianCopula`, `StudentTCopula`, `BlockBootstrap`,
  `GeometricBrownianMotion`, `JumpDiffusion`; `ReturnModel` is their base class
- Margins of a copula: `fit_margin`, `Margin`
- Random variates: `Variates`, `VariateSpec`, `SobolDraws`
"""

from riskkit._names import suggest_names
from riskkit.montecarlo.draws import SobolDraws, Variates, VariateSpec
from riskkit.montecarlo.engine.result import SimulationResult
from riskkit.montecarlo.engine.simulate import simulate_risk
from riskkit.montecarlo.models.bootstrap import BlockBootstrap
from riskkit.montecarlo.models.copula import GaussianCopula, StudentTCopula
from riskkit.montecarlo.models.elliptical import NormalReturns, StudentTReturns
from riskkit.montecarlo.models.margins import Margin, fit_margin
from riskkit.montecarlo.models.paths import GeometricBrownianMotion, JumpDiffusion
from riskkit.montecarlo.models.return_model import ReturnModel

__all__ = [
    "BlockBootstrap",
    "Variates",
    "GaussianCopula",
    "GeometricBrownianMotion",
    "JumpDiffusion",
    "Margin",
    "ReturnModel",
    "VariateSpec",
    "NormalReturns",
    "SimulationResult",
    "SobolDraws",
    "StudentTCopula",
    "StudentTReturns",
    "fit_margin",
    "simulate_risk",
]

suggest_names(
    __name__,
    {
        "simulate_risk": "monte_carlo monte_carlo_var montecarlo_var mc_var simulate",
        "GeometricBrownianMotion": "GBM",
        "JumpDiffusion": "merton",
        "BlockBootstrap": "bootstrap stationary_bootstrap",
    },
)
