"""Simulated streams of historical incidents, calibrated to published figures, and the time to stop them."""
