"""Public names of the service, loaded when they are first used."""

from .engine import Answer as Answer
from .engine import EngineService as EngineService
from .followers import Follower as Follower
from .followers import Published as Published
from .serve import create_app as create_app
from .serve import serve as serve
