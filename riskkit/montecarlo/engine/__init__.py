"""Simulation engine: scenarios in chunks, the largest losses, and VaR and ES with standard errors."""
