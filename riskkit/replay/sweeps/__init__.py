"""Sweeps: one log under many settings of its rules, utilization of limits, and how effective each rule is."""
