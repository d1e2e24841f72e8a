"""Checked samples, test outcomes, distributions, simulation and scores: the common basis of the tests."""
