"""Shared base of the desk: checked records, exact amounts, limits, state digests and the journal of events."""
