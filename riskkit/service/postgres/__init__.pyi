"""Public names of the store in PostgreSQL, loaded when they are first used."""

from .alerts import PostgresAlerts as PostgresAlerts
from .follower import PostgresFollower as PostgresFollower
from .queries import PostgresReader as PostgresReader
from .rebuild import rebuild as rebuild
from .schema import install as install
from .trades import PostgresTrades as PostgresTrades
