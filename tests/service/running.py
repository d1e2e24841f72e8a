"""A real service on loopback: uvicorn in a thread or workers in processes, a free port, a folder of its own."""

import asyncio
import threading

import requests
import uvicorn

import riskkit as rk

RULES = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
UNITS = """\
[[instruments]]
id = "ES"
tick = "0.25"
[[instruments]]
id = "BTC-USD"
tick = "0.01"
lot = "0.0001"
[[accounts]]
id = "desk-1"
desk = "macro"
cash = { USD = 1000000 }
[[accounts]]
id = "desk-2"
"""


class Served:
    """A running service and a client of it."""

    def __init__(self, folder, rules=RULES, units=UNITS, **settings):
        from riskkit.service.options import uvicorn_options
        from riskkit.service.serve import create_app
        from riskkit.service.settings import Settings
        from riskkit.service.workers import Workers, listen

        self.folder = folder
        chosen = Settings(**{"port": 0, "durability": "none", **settings})
        path = None
        if units:
            folder.mkdir(exist_ok=True)
            path = folder / "units.toml"
            path.write_text(units)
        self.app = create_app(rules, folder, chosen, units=path, compiled=False)
        self.keys = {name: (folder / f"{name}.key").read_text() for name in ("trade", "limits")}
        listening = listen(chosen.host, chosen.port, chosen.workers)
        self.port = listening[0].getsockname()[1]
        one = uvicorn.Server(uvicorn.Config(self.app, **uvicorn_options(chosen)))
        self.server = one if chosen.workers == 1 else Workers(self.app)
        self.thread = threading.Thread(target=asyncio.run, args=[self.server.serve(listening)])
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = requests.Session()
        while self.http.get(f"{self.url}/ready").status_code != 200:
            assert not self.app.trouble, self.app.trouble
            threading.Event().wait(0.01)

    def ask(self, method, path, body=None, key="trade", **more):
        """An answer, with the key of a scope (None: without one)."""
        headers = more.pop("headers", {}) | (self.head(key) if key else {})
        content = {"json": body} if not isinstance(body, (bytes, str, type(None))) else {"data": body}
        return self.http.request(method, f"{self.url}{path}", headers=headers, timeout=30, **content, **more)

    def head(self, key="trade"):
        """The header with a key."""
        return {"Authorization": f"Bearer {self.keys[key]}"}

    def order(self, order_id=None, **fields):
        """The answer to an order of desk-1."""
        body = {"account": "desk-1", "instrument": "ES", "side": "buy", "qty": 1, "price": "100.25", **fields}
        return self.ask("POST", "/orders", body | ({"order_id": order_id} if order_id else {}))

    def stop(self):
        """End the service as SIGTERM does."""
        self.http.close()
        self.server.should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive()
