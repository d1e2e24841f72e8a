"""Reference quantities of riskkit.montecarlo."""

import numpy as np

from riskkit import montecarlo


def margin(inputs):
    """Quantiles of a fitted margin; `sign` -1 takes the series for losses."""
    series = inputs.get("sign", 1) * inputs.series().to_numpy()
    fitted = montecarlo.fit_margin(series, inputs["method"], tail_fraction=inputs.get("tail_fraction", 0.1))
    return {"quantile": fitted.ppf(np.array(inputs["p"])), **fitted.parameters}


QUANTITIES = {"fit_margin": margin}
