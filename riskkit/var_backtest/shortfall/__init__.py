"""Tests of expected shortfall: the size of losses beyond VaR."""
