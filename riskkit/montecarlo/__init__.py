"""Monte Carlo: laws of returns, draws of many kinds, and VaR and ES with standard errors."""

from riskkit.montecarlo.bootstrap import BlockBootstrap
from riskkit.montecarlo.copula import GaussianCopula, StudentTCopula
from riskkit.montecarlo.draws import Draws, Needs, Sobol
from riskkit.montecarlo.elliptical import NormalReturns, StudentTReturns
from riskkit.montecarlo.law import Law
from riskkit.montecarlo.paths import GeometricBrownianMotion, JumpDiffusion
from riskkit.montecarlo.result import SimulatedRisk
from riskkit.montecarlo.simulate import monte_carlo_risk

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
    "StudentTReturns",
    "StudentTCopula",
    "monte_carlo_risk",
]
