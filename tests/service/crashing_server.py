"""A service in a process of its own, which a test kills: ``python crashing_server.py FOLDER PORT``."""

import sys
from pathlib import Path

import uvicorn

from riskkit import Rule, RuleSet
from riskkit.rules import MaxOrderQty
from riskkit.service.options import uvicorn_options
from riskkit.service.serve import create_app
from riskkit.service.settings import Settings

if __name__ == "__main__":
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = Settings(port=port, durability="group")
    app = create_app(
        RuleSet([Rule("size", MaxOrderQty(limit=5))]), folder, settings, units=folder / "units.toml", compiled=False
    )
    uvicorn.run(app, **uvicorn_options(settings))
