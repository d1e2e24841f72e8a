"""The tail of losses looked at: how heavy it is, from which threshold it can be fitted, whether large losses come together.

- Weight of the tail: `hill`, `shape_estimates`, `mean_excess`, `threshold_stability`
- Confidence by profile likelihood: `tail_interval`, `TailInterval`
- Clusters: `extremal_index`, `decluster`
- Maxima of blocks: `block_maxima`, `BlockMaxima`
- Joint tails: `tail_dependence`, `joint_tails`, `JointTails`, `t_tail_dependence`, `archimedean_tail_dependence`
- Densities of copulas: `copula_log_density`
"""

from riskkit.var.tails.clusters import decluster, extremal_index
from riskkit.var.tails.copula_densities import copula_log_density
from riskkit.var.tails.dependence import archimedean_tail_dependence, t_tail_dependence, tail_dependence
from riskkit.var.tails.diagnostics import hill, mean_excess, shape_estimates, threshold_stability
from riskkit.var.tails.joint import JointTails, joint_tails
from riskkit.var.tails.maxima import BlockMaxima, block_maxima
from riskkit.var.tails.profile import TailInterval, tail_interval

__all__ = [
    "BlockMaxima",
    "JointTails",
    "TailInterval",
    "archimedean_tail_dependence",
    "block_maxima",
    "copula_log_density",
    "decluster",
    "extremal_index",
    "hill",
    "shape_estimates",
    "joint_tails",
    "mean_excess",
    "t_tail_dependence",
    "tail_dependence",
    "tail_interval",
    "threshold_stability",
]
