"""Return models: joint distributions of asset returns from which scenarios are drawn.

- Base class: `Law`
- Elliptical: `NormalReturns`, `StudentTReturns`
- Copulas over empirical margins: `GaussianCopula`, `StudentTCopula`
- Resampled history: `BlockBootstrap`
- Price paths: `GeometricBrownianMotion`, `JumpDiffusion`
"""

from riskkit.montecarlo.models.bootstrap import BlockBootstrap
from riskkit.montecarlo.models.copula import GaussianCopula, StudentTCopula
from riskkit.montecarlo.models.elliptical import NormalReturns, StudentTReturns
from riskkit.montecarlo.models.paths import GeometricBrownianMotion, JumpDiffusion
from riskkit.montecarlo.models.return_model import Law

__all__ = [
    "BlockBootstrap",
    "GaussianCopula",
    "GeometricBrownianMotion",
    "JumpDiffusion",
    "Law",
    "NormalReturns",
    "StudentTCopula",
    "StudentTReturns",
]
