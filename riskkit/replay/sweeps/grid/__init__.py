"""Settings of a sweep, and the keys of its scopes."""
