"""Worker processes of one consumer group."""

import signal
import subprocess
import sys
from pathlib import Path

from service.servers import PATIENCE
from service.stream_parts import RULES_TOML, UNITS_TOML


class Workers:
    """Worker processes of one group, with their state in one folder."""

    def __init__(self, broker: str, topics: tuple[str, str], folder: Path, plain: bool = True) -> None:
        self.plain = plain
        self.broker, self.topics, self.state = broker, topics, folder / "state"
        self.files = [folder / "rules.toml", folder / "units.toml"]
        for path, text in zip(self.files, (RULES_TOML, UNITS_TOML), strict=True):
            path.write_text(text)
        self.client = folder / "client"
        self.client.write_text("session.timeout.ms=4000\nheartbeat.interval.ms=500\n")
        self.client.chmod(0o600)
        self.log = (folder / "log").open("ab")
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """One more worker."""
        command = [sys.executable, "-m", "riskkit", "consume", str(self.files[0]), "--units", str(self.files[1])]
        command += [
            "--state",
            str(self.state),
            "--brokers",
            self.broker,
            "--in",
            self.topics[0],
            "--out",
            self.topics[1],
        ]
        command += [
            "--group",
            self.topics[0],
            "--client",
            str(self.client),
            "--register",
            "ES",
            "--decimals",
            "ETH=18",
            "--decimals",
            "USDC=6",
        ]
        command += ["--plain", "--batch", "40"] if self.plain else []
        quiet = {"stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log}
        found = subprocess.Popen([*command, *more], **quiet)
        self.running.append(found)
        return found

    def stop(self) -> None:
        """End them by SIGTERM, and wait."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            process.wait(PATIENCE)
        self.log.close()
