"""Checked samples, test outcomes, distributions, simulation and scores: what all tests are built from."""
