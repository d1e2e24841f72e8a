"""Metrics: what a service counts, read by a real Prometheus; its alerts and the dashboard's expressions."""

import json
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from service.servers import PATIENCE, Server, answers, free_port, program

import riskkit as rk
from riskkit.service import EngineService
from riskkit.service.metrics import FAMILIES, Metrics
from riskkit.service.metrics_server import serve_metrics

DEPLOY = Path(rk.__file__).parent / "service" / "deploy"
ORDER = {"account": "A", "instrument": "ES", "side": "B", "qty": 4, "price": 100, "ts": 0}
RULES = rk.RuleSet([rk.Rule("size", rk.rules.PositionLimit(limit=10), action="PAUSE", hold="session")])


def engine():
    return EngineService(rk.Session.create(RULES, [rk.Instrument("ES")], ["A", "B"], compiled=False))


def lines(text):
    found = (line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in found}


def test_the_text_of_an_engine_has_its_positions_stopped_accounts_and_followers():
    service = engine()
    follower = service.follow("slow", size=1)
    service.decide("fill", ORDER)
    service.commit()
    service.decide("order", {**ORDER, "qty": 50})
    service.commit()
    metrics = Metrics(lambda metrics: (metrics.look_up(service), metrics.look_at(service.followers)))
    found = lines(metrics.exposition())
    assert found["active_positions_total"] == 1
    assert found['riskkit_breaker_open{account="A"}'] == 1 and 'riskkit_breaker_open{account="B"}' not in found
    assert (found['riskkit_follower_behind{follower="slow"}'], follower.behind) == (1, 1)
    assert found['riskkit_follower_missed_total{follower="slow"}'] == follower.dropped == 1


def test_a_histogram_counts_each_time_once_in_the_bucket_of_its_upper_bound():
    metrics = Metrics()
    for seconds in (1e-5, 1.1e-5, 0.01, 7.0):
        metrics.durations.observe(seconds)
    found = lines(metrics.exposition())
    name = "risk_calculation_duration_seconds"
    bounds = ("1e-05", "2.5e-05", "0.005", "0.01", "2.5", "+Inf")
    assert [found[f'{name}_bucket{{le="{bound}"}}'] for bound in bounds] == [1, 2, 2, 3, 3, 4]
    assert found[f"{name}_count"] == metrics.durations.count == 4
    assert found[f"{name}_sum"] == pytest.approx(7.010021)


def test_the_names_of_the_wire_are_there_and_a_label_has_at_most_a_hundred_values():
    metrics = Metrics()
    metrics.stopped = {f"A{number}": 1 for number in range(5000)}
    text = metrics.exposition().decode()
    assert text.count("riskkit_breaker_open{") == 100
    for name, kind in {
        "risk_calculations_total": "counter", "risk_calculation_duration_seconds": "histogram",
        "active_positions_total": "gauge", "alert_latency_seconds": "histogram",
    }.items():  # fmt: skip
        assert f"# TYPE {name} {kind}\n" in text
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_health_and_readiness_are_told_beside_the_metrics():
    metrics = Metrics()
    with serve_metrics(metrics, "127.0.0.1:0") as port:
        base = f"http://127.0.0.1:{port}"
        assert json.load(urlopen(f"{base}/health")) == {"status": "ok"}
        with pytest.raises(HTTPError, match="503") as waiting:
            urlopen(f"{base}/ready")
        waiting.value.close()
        metrics.ready = 1
        assert json.load(urlopen(f"{base}/ready")) == {"ready": True}
        with pytest.raises(HTTPError, match="404") as absent:
            urlopen(f"{base}/other")
        absent.value.close()
        with pytest.raises(rk.InputError, match="cannot be served"), serve_metrics(metrics, f"127.0.0.1:{port}"):
            pass
    with pytest.raises(rk.InputError, match="is not host:port"), serve_metrics(metrics, "9300"):
        pass


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["check", "rules", "rules.yml"],
        ["test", "rules", "rules_test.yml"],
    ],
    ids=" ".join,
)
def test_promtool_accepts(arguments):
    done = subprocess.run(
        [program("promtool", "prometheus"), *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried():
    rules, tried = ((DEPLOY / name).read_text() for name in ("rules.yml", "rules_test.yml"))
    names = [line.partition("alert: ")[2] for line in rules.splitlines() if "- alert: " in line]
    assert len(names) == 8
    for name in names:
        assert tried.count(f"alertname: {name}\n") == tried.count(f"alertname: {name}}}\n") == 1, name


@pytest.mark.slow
def test_prometheus_reads_it_fires_the_alert_and_answers_every_expression_of_the_dashboard(tmp_path):
    metrics = Metrics()
    metrics.stopped, metrics.ready, metrics.stream_lag = {"A": 1}, 1, {"0": 0}
    command, port = program("prometheus", "prometheus"), free_port()
    with serve_metrics(metrics, "127.0.0.1:0") as own:
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(DEPLOY / "rules.yml")],
            "scrape_configs": [
                {"job_name": "riskkit-consume", "static_configs": [{"targets": [f"127.0.0.1:{own}"]}]}
            ],
        }  # fmt: skip
        (tmp_path / "config.yml").write_text(json.dumps(config))
        options = [f"--config.file={tmp_path}/config.yml", f"--storage.tsdb.path={tmp_path}/data"]
        server = Server(
            [command, *options, f"--web.listen-address=127.0.0.1:{port}"], port, lambda: answers(port), tmp_path
        )  # fmt: skip
        server.start()
        try:
            panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
            asked = [target["expr"] for panel in panels for target in panel["targets"]]
            asked.append('ALERTS{alertname="RiskkitBreakerOpen", alertstate="firing", account="A"}')
            wait_for(port, asked, metrics)
        finally:
            server.stop()


def wait_for(port, asked, metrics):
    """Wait until every expression has an answer, while something happens."""
    until, missing = time.monotonic() + PATIENCE, asked
    while missing:
        assert time.monotonic() < until, missing
        metrics.calculations += 1
        metrics.orders["passed"] += 1
        metrics.durations.observe(0.001)
        metrics.alert_latency.observe(0.001)
        time.sleep(0.2)  # Prometheus reads once a second
        missing = [expression for expression in missing if not ask(port, expression)]


def ask(port, expression):
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': expression})}") as answer:
            found = json.load(answer)
    except HTTPError as error:  # it is not ready yet
        assert error.code == 503, error.read()
        error.close()
        return []
    return [one for one in found["data"]["result"] if one["value"][1] != "NaN"]
