"""Sections that the docstrings of the capital charges share."""

from riskkit._docs import shared_parameters

documented = shared_parameters(
    {"confidence": "float\n    0.999 in the rules.", "default_probability": "float\n    Of each issuer."},
    returns="float\n    Money.",
)
