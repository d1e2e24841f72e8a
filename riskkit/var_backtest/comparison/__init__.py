"""Comparison of several forecasts: Diebold-Mariano, model confidence set, and a ranking of models over many assets."""
