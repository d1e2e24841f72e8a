"""Options of the commands that estimate VaR."""

from __future__ import annotations

import click

METHODS = ("historical", "age_weighted", "filtered_historical", "normal", "student_t", "cornish_fisher", "evt")

method = click.option("--method", type=click.Choice(METHODS), default=METHODS[0], help="How VaR and ES are estimated.")
confidence = click.option("--confidence", default=0.99, help="Of VaR and ES, 0.99 for 99 %.")
