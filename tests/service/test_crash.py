"""The process of a service is killed under load: nothing answered is lost, and who asks again is answered the same."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from service.running import UNITS
from service.servers import PATIENCE, free_port

import riskkit as rk

CLIENTS = 4
SERVER = Path(__file__).with_name("crashing_server.py")


class Crashing:
    """A service that is killed and started again at the same port, and clients that go on until they have an answer."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        (folder / "units.toml").write_text(UNITS)
        self.answers, self.again, self.ending = {}, {}, threading.Event()
        self.start()
        self.head = {"Authorization": f"Bearer {(folder / 'trade.key').read_text()}"}

    def start(self):
        command = [sys.executable, str(SERVER), str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, env=os.environ | {"RISKKIT_QUIET": "1"})
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, "the service has ended"
            try:
                if requests.get(f"http://127.0.0.1:{self.port}/ready", timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                time.sleep(0.02)
        pytest.fail("the service does not start")

    def client(self, name):
        with requests.Session() as http:
            number = 0
            while not self.ending.is_set():
                number += 1
                self._until_answered(http, f"{name}-{number}", {"qty": 1 + number % 8})

    def _until_answered(self, http, order_id, fields):
        body = {"account": "desk-1", "instrument": "ES", "side": "B", "price": "100.25", "order_id": order_id, **fields}
        while True:
            try:
                answer = http.post(
                    f"http://127.0.0.1:{self.port}/orders", json=body, headers=self.head, timeout=PATIENCE
                )
            except requests.RequestException:  # killed: nobody knows whether it was taken
                time.sleep(0.02)
                continue
            if answer.status_code == 200:
                self.answers[order_id] = answer.json()
                return
            if answer.status_code == 409:
                self.again[order_id] = answer.json()["first"]
                return
            assert answer.status_code == 503, answer.text
            time.sleep(0.1)  # warming up

    def ask(self, path):
        return requests.get(f"http://127.0.0.1:{self.port}{path}", headers=self.head, timeout=PATIENCE).json()


@pytest.mark.slow
def test_what_was_answered_survives_kills_and_who_asks_again_is_answered_the_same(tmp_path, long):
    service = Crashing(tmp_path / "state")
    clients = [threading.Thread(target=service.client, args=(f"c{number}",)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    draw = random.Random(5)
    try:
        for _ in range(20 if long else 2):
            goal = len(service.answers) + draw.randint(20, 120)
            while len(service.answers) < goal:
                time.sleep(0.001)
            service.process.kill()
            service.process.wait()
            service.start()
    finally:
        service.ending.set()
        for client in clients:
            client.join()
    first = {order_id: service.ask(f"/orders/{order_id}") for order_id in service.answers | service.again}
    assert first == service.answers | service.again
    before = service.ask("/journal")
    assert before["events"] == len(first)
    service.process.terminate()
    service.process.wait()
    opened = rk.open_journal(service.folder / "journal")
    assert (opened.digest, len(opened.log)) == (before["digest"], len(first))
    assert rk.replay_log(opened.log, opened.history, mode="enforce", compiled=False).digest == before["digest"]
