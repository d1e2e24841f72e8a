"""Sweeps, calibration, utilization and effectiveness of limits: one log under many settings of its rules."""
