"""The store in PostgreSQL, with or without TimescaleDB: schema, follower of a journal, trade events, alerts, queries, recovery."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
