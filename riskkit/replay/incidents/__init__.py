"""Incidents: seeded streams calibrated to what was reported of real ones, and how soon a rule set stops them."""
