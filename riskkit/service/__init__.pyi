"""Public names of the service, loaded when they are first used."""

from .engine import Answer as Answer
from .engine import EngineService as EngineService
from .followers import Follower as Follower
from .followers import Published as Published
from .postgres import PostgresAlerts as PostgresAlerts
from .postgres import PostgresFollower as PostgresFollower
from .postgres import PostgresReader as PostgresReader
from .postgres import PostgresTrades as PostgresTrades
from .redis_alerts import RedisAlerts as RedisAlerts
from .redis_cache import RedisCache as RedisCache
from .redis_lease import WriterLease as WriterLease
from .redis_reader import RedisReader as RedisReader
from .serve import create_app as create_app
from .serve import serve as serve
