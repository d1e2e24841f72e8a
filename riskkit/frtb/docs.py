"""Sections that the docstrings of the capital charges share."""

from riskkit._docs import shared_parameters

TEXTS = {"confidence": "float\n    0.999 in the rules.", "default_probability": "float\n    Of each issuer."}
documented = shared_parameters(TEXTS, returns="float\n    Money.")
documented_charge = shared_parameters(TEXTS, returns="SensitivitiesCharge\n    `capital` and the charges by scenario.")
