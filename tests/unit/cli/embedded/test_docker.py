"""`make invoke` without Docker: a person reads what is missing, and no traceback."""

from pathlib import Path

import pytest
from playlog_cli.embedded import docker
from playlog_cli.errors import CommandError


def a_docker(folder: Path, script: str) -> None:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_machine_without_docker_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="needs Docker, and there is no program `docker`"):
        docker.require()


def test_a_daemon_that_is_not_running_is_told_with_dockers_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_docker(tmp_path, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="does not answer: Cannot connect to the Docker daemon"):
        docker.require()


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ('{"Subnet": "127.0.0.8/29"}', "127.0.0.9"),  # Docker does not always name the gateway
        ('{"Subnet": "127.0.0.8/29", "Gateway": "127.0.0.12"}', "127.0.0.12"),
        ('{"Subnet": "203.0.113.0/24"}', "127.0.0.1"),  # as in the virtual machine of Docker Desktop
    ],
)
def test_the_embedded_aws_listens_where_containers_reach_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, network: str, address: str
) -> None:
    a_docker(tmp_path, f"""echo '[{{"IPAM": {{"Config": [{network}]}}}}]'""")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert docker.bridge() == address
