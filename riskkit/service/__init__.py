"""The live session as a service: HTTP and WebSocket, streams, stores and metrics around one engine process.

Each part has an extra of pyproject.toml and is imported when it is used; nothing else in riskkit imports this package.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
