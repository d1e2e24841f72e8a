"""Monte Carlo simulation: VaR and ES with standard errors.

- Simulation: `monte_carlo_risk`, `SimulatedRisk`
- Return models: `NormalReturns`, `StudentTReturns`, `GaussianCopula`, `StudentTCopula`, `BlockBootstrap`,
  `GeometricBrownianMotion`, `JumpDiffusion`; `Law` is their base class
- Random variates: `Draws`, `Needs`, `Sobol`
"""

from riskkit.montecarlo.draws import Draws, Needs, Sobol
from riskkit.montecarlo.engine.result import SimulatedRisk
from riskkit.montecarlo.engine.simulate import monte_carlo_risk
from riskkit.montecarlo.models import (
    BlockBootstrap,
    GaussianCopula,
    GeometricBrownianMotion,
    JumpDiffusion,
    Law,
    NormalReturns,
    StudentTCopula,
    StudentTReturns,
)

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
