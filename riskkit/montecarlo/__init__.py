"""Monte Carlo simulation: VaR and ES with standard errors.

- Simulation: `monte_carlo_risk`, `SimulatedRisk`
- Return models: `NormalReturns`, `StudentTReturns`, `GaussianCopula`, `StudentTCopula`, `BlockBootstrap`,
  `GeometricBrownianMotion`, `JumpDiffusion`; `Law` is their base class
- Random variates: `Draws`, `Needs`, `Sobol`
"""

from riskkit.montecarlo.draws import Draws, Needs, Sobol
from riskkit.montecarlo.engine.result import SimulatedRisk
from riskkit.montecarlo.engine.simulate import monte_carlo_risk
from riskkit.montecarlo.models.bootstrap import BlockBootstrap
from riskkit.montecarlo.models.copula import GaussianCopula, StudentTCopula
from riskkit.montecarlo.models.elliptical import NormalReturns, StudentTReturns
from riskkit.montecarlo.models.paths import GeometricBrownianMotion, JumpDiffusion
from riskkit.montecarlo.models.return_model import Law

__all__ = [
    "BlockBootstrap",
    "Draws",
    "GaussianCopula",
    "GeometricBrownianMotion",
    "JumpDiffusion",
    "Law",
    "Needs",
    "NormalReturns",
    "SimulatedRisk",
    "Sobol",
    "StudentTCopula",
    "StudentTReturns",
    "monte_carlo_risk",
]
