"""Tests of the times of hits: transitions from day to day, waits between hits, and predictability."""
