"""The five Compose files of the BEV fleet say what its facts say: no more, no less."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "policies" / "bev" / "compose"
FACTS: dict[str, dict[str, Any]] = json.loads((ROOT / "tests" / "data" / "bev_facts.json").read_text())
FILES = {name: yaml.safe_load((FOLDER / name).read_text()) for name in FACTS}
SERVICES = [(file, name) for file, facts in FACTS.items() for name in facts["services"]]

SAME = {  # the facts have these as Compose writes them
    *("image", "container_name", "hostname", "platform", "restart", "profiles", "privileged"),
    *("ports", "depends_on", "cap_add", "ulimits", "shm_size"),
}
TAKEN_APART = {"build", "deploy", "runtime", "volumes", "networks", "healthcheck", "sysctls", "logging"}
INVENTED = {"command", "environment"}  # but for the settings of memory and GPU in them
TOOLS = {"curl", "influx", "pg_isready", "redis-cli", "vault", "wget"}
MEMORY_VARIABLE = re.compile(r"(?!GPU_).*(MEM|CACHE|BUFFERS|HEAP|JAVA_OPTS)")
MEMORY_OPTION = re.compile(r"(--\S*(?:maxmemory|size)|\w+_(?:buffers|mem|size))[ =](\S+)")
GPU_VARIABLE = re.compile(r"(CUDA|GPU|NVIDIA)_")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")
SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY|COOKIE|AUTH")


def facts_of(service: dict[str, Any], logging: object) -> dict[str, Any]:
    """Take a service apart into the words of the facts; what it does not have is not in the result."""
    environment, command = environment_of(service), command_of(service)
    deploy = service.get("deploy", {})
    resources = deploy.get("resources", {})
    reservations = resources.get("reservations", {})
    volumes = [volume.split(":") for volume in service.get("volumes", [])]
    binds = [volume[0] for volume in volumes if len(volume) > 1 and volume[0][0] in "./"]
    networks = service["networks"]
    addresses = networks if isinstance(networks, dict) else {}
    found = {key: service.get(key) for key in SAME} | {
        "build": build_of(service),
        "limits": resources.get("limits"),
        "reservations": {key: value for key, value in reservations.items() if key != "devices"},
        "replicas": deploy.get("replicas"),
        "gpu": gpu_of(service),
        "settings": {key: value for key, value in environment.items() if MEMORY_VARIABLE.match(key)}
        | {f"command {key}": value for key, value in MEMORY_OPTION.findall(command)},
        "networks": list(networks),
        "addresses": {name: network["ipv4_address"] for name, network in addresses.items()},
        "volumes": [volume[0] for volume in volumes if volume[0][0] not in "./"],
        "binds": len(binds),
        "anonymous_volumes": sum(len(volume) == 1 for volume in volumes),
        "docker_socket": "/var/run/docker.sock" in binds,
        "healthcheck": healthcheck_of(service),
        "sysctls": bool(service.get("sysctls")),
        "logging": "logging" in service and service["logging"] == logging,
    }
    return without_empty(found)


def without_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value}


def environment_of(service: dict[str, Any]) -> dict[str, str]:
    environment = service.get("environment", {})
    if isinstance(environment, list):
        return dict(line.split("=", 1) for line in environment)
    return {key: str(value) for key, value in environment.items()}


def command_of(service: dict[str, Any]) -> str:
    command = service.get("command", "")
    return command if isinstance(command, str) else " ".join(command)


def build_of(service: dict[str, Any]) -> str | None:
    build = service.get("build")
    return build["context"] if isinstance(build, dict) else build


def gpu_of(service: dict[str, Any]) -> dict[str, Any]:
    reservations = service.get("deploy", {}).get("resources", {}).get("reservations", {})
    variables = {key: value for key, value in environment_of(service).items() if GPU_VARIABLE.match(key)}
    found = {"runtime": service.get("runtime"), "devices": reservations.get("devices"), "env": variables}
    return without_empty(found)


def healthcheck_of(service: dict[str, Any]) -> dict[str, Any]:
    healthcheck = service.get("healthcheck")
    if not healthcheck:
        return {}
    kind, first, *_ = healthcheck["test"]
    tool = first.split()[0]
    times = {key: value for key, value in healthcheck.items() if key != "test"}
    return {"kind": kind, "tool": tool if tool in TOOLS else "other", **times}


def gibibytes(memory: str) -> float:
    return float(memory[:-1]) / {"G": 1, "M": 1024}[memory[-1]]


def total(file: str, part: str, key: str) -> float:
    parts = [service.get("deploy", {}).get("resources", {}).get(part, {}) for service in services(file)]
    amount = gibibytes if key == "memory" else float
    return sum(amount(part[key]) for part in parts if key in part)


def services(file: str) -> list[dict[str, Any]]:
    return list(FILES[file]["services"].values())


@pytest.mark.parametrize(("file", "name"), SERVICES)
def test_service_is_what_the_facts_say(file: str, name: str) -> None:
    document = FILES[file]
    assert facts_of(document["services"][name], document.get("x-logging")) == FACTS[file]["services"][name]


@pytest.mark.parametrize(("file", "name"), SERVICES)
def test_service_has_no_key_that_the_facts_do_not_cover(file: str, name: str) -> None:
    assert set(FILES[file]["services"][name]) <= SAME | TAKEN_APART | INVENTED


@pytest.mark.parametrize("file", FACTS)
def test_file_has_the_services_of_the_facts_in_their_order(file: str) -> None:
    assert list(FILES[file]["services"]) == list(FACTS[file]["services"])


@pytest.mark.parametrize("file", FACTS)
def test_file_has_the_version_and_top_level_keys_of_the_facts(file: str) -> None:
    assert FILES[file]["version"] == FACTS[file]["version"]
    assert sorted(FILES[file]) == FACTS[file]["top_level_keys"]


@pytest.mark.parametrize("file", FACTS)
def test_file_declares_the_networks_and_volumes_of_the_facts(file: str) -> None:
    assert FILES[file]["networks"] == FACTS[file]["networks"]
    assert FILES[file]["volumes"] == dict.fromkeys(FACTS[file]["volumes"])


def test_fleet_has_127_services_in_five_files() -> None:
    assert {file: len(document["services"]) for file, document in FILES.items()} == {
        "thanos.yml": 53,
        "oracle1.yml": 51,
        "companion.yml": 11,
        "development.yml": 11,
        "starlord-vault.yml": 1,
    }
    assert len(SERVICES) == 127


def test_thanos_declares_108_75_gib_on_32_services_and_no_cpu() -> None:
    limits = [s["deploy"]["resources"]["limits"] for s in services("thanos.yml") if "deploy" in s]
    assert len(limits) == 32
    assert all(set(limit) == {"memory"} for limit in limits)
    assert total("thanos.yml", "limits", "memory") == 108.75


def test_thanos_promises_12_gib_more_by_replicas() -> None:
    deploys = {name: s["deploy"] for name, s in FILES["thanos.yml"]["services"].items() if "deploy" in s}
    replicas = {name: deploy["replicas"] for name, deploy in deploys.items() if "replicas" in deploy}
    assert replicas == {"intelowl-celery-worker": 4}
    assert 3 * gibibytes(deploys["intelowl-celery-worker"]["resources"]["limits"]["memory"]) == 12


def test_oracle1_declares_20_77_gib_and_3_81_cpus() -> None:
    assert all({"limits", "reservations"} == set(s["deploy"]["resources"]) for s in services("oracle1.yml"))
    assert round(total("oracle1.yml", "limits", "memory"), 4) == 20.7734
    assert round(total("oracle1.yml", "limits", "cpus"), 2) == 3.81
    assert total("oracle1.yml", "reservations", "memory") == 7.1875
    assert round(total("oracle1.yml", "reservations", "cpus"), 2) == 1.06


@pytest.mark.parametrize("file", ["companion.yml", "development.yml", "starlord-vault.yml"])
def test_starlord_declares_no_limit(file: str) -> None:
    assert total(file, "limits", "memory") == 0
    assert total(file, "limits", "cpus") == 0


def test_thanos_publishes_9001_twice() -> None:
    published = Counter(port.split(":")[0] for s in services("thanos.yml") for port in s.get("ports", []))
    assert [port for port, times in published.items() if times > 1] == ["9001"]


def test_46_services_of_thanos_write_to_one_volume_of_logs() -> None:
    logs = [s for s in services("thanos.yml") if any(v.startswith("logs:") for v in s.get("volumes", []))]
    assert len(logs) == 46


def test_env_example_lists_each_variable_once_and_no_other() -> None:
    used = {variable for file in FILES for variable in VARIABLE.findall((FOLDER / file).read_text())}
    listed = re.findall(r"^(\w+)=", (FOLDER / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(used)


def test_env_example_holds_no_secret() -> None:
    lines = re.findall(r"^(\w+)=(.*)$", (FOLDER / ".env.example").read_text(), re.MULTILINE)
    assert {value for name, value in lines if SECRET.search(name)} == {"change-me"}


@pytest.mark.parametrize(("file", "name"), SERVICES)
def test_secrets_are_variables(file: str, name: str) -> None:
    service = FILES[file]["services"][name]
    for variable, value in environment_of(service).items():
        assert not SECRET.search(variable) or "${" in value, variable
        assert not re.search(r"://[^/$]*:[^/$]+@", value), variable
    assert not re.search(r"--requirepass (?!\$)", command_of(service))


@pytest.mark.parametrize("file", FACTS)
def test_docker_compose_reads_the_file(file: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    compose = ["env", f"PATH={path}", "docker-compose", "--env-file", ".env.example", "--file", file]
    services_of_all_profiles = ["--profile", "*", "config", "--services"]
    result = subprocess.run(compose + services_of_all_profiles, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()) == sorted(FACTS[file]["services"])
