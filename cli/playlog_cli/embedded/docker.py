"""Docker runs a function in the image of Lambda. By which address do its containers reach this machine?"""

import json
import platform
import shutil
import socket
import subprocess
from ipaddress import ip_network

from playlog_cli.embedded.session import HOST
from playlog_cli.errors import CommandError

# The name that sam gives this machine inside the container.
HOST_NAME = "host.docker.internal"
_WAIT_SECONDS = 30


def require() -> None:
    """Returns if a Docker daemon answers.

    Raises:
        CommandError: there is no Docker, or its daemon does not answer.
    """
    _docker("version", "--format", "{{.Server.Version}}")


def bridge() -> str:
    """The address of this machine that containers reach.

    On Linux that is the gateway of Docker's bridge. Docker Desktop runs containers in a virtual machine, which reaches
    the loopback address itself (https://docs.docker.com/desktop/features/networking/).

    Raises:
        CommandError: the daemon does not answer.
    """
    (network,) = json.loads(_docker("network", "inspect", "bridge"))
    # Docker does not always name the gateway, which is the first address of the subnet then.
    gateways = [
        each.get("Gateway") or str(next(ip_network(each["Subnet"]).hosts())) for each in network["IPAM"]["Config"]
    ]
    return next((gateway for gateway in gateways if _is_of_this_machine(gateway)), HOST)


def has_image(name: str) -> bool:
    """Whether an image is on this machine."""
    return _answer("image", "inspect", name).returncode == 0


def architecture() -> str:
    """The value of the parameter ``Architecture`` that this machine runs without emulation."""
    return "x86_64" if platform.machine().lower() in ("x86_64", "amd64") else "arm64"


def _docker(*arguments: str) -> str:
    answer = _answer(*arguments)
    if answer.returncode:
        said = (answer.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise CommandError(f"this needs Docker, and its daemon does not answer: {said}")
    return answer.stdout


def _answer(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("docker")
    if program is None:
        raise CommandError(
            "this needs Docker, and there is no program `docker` on the PATH. Nothing else here needs it"
        )
    try:
        return subprocess.run(  # noqa: S603
            [program, *arguments], capture_output=True, text=True, check=False, timeout=_WAIT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"this needs Docker, and its daemon did not answer within {_WAIT_SECONDS} s") from None


def _is_of_this_machine(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True
