"""Limits proposed from what a log observed."""
