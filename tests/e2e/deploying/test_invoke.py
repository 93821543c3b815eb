"""`make invoke`: a function in a container of Lambda's own image. CI runs it where a Docker daemon answers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.aws import ROOT

IMAGE = "public.ecr.aws/lambda/python:3.13"


def docker(*arguments: str) -> bool:
    program = shutil.which("docker")
    if program is None:
        return False
    return subprocess.run([program, *arguments], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not docker("version"), reason="no Docker daemon answers on this machine")
@pytest.mark.skipif(
    not any(docker("image", "inspect", f"{IMAGE}-{kind}") for kind in ("x86_64", "arm64")),
    reason=f"this machine has no image {IMAGE}: `docker pull {IMAGE}` once",
)
def test_a_run_in_lambdas_container_converts_the_sample_day() -> None:
    playlog = Path(sys.executable).with_name("playlog")
    command = [str(playlog), "local", "invoke", "ConvertMatchesFunction", "--event", "events/shards.json"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)

    assert answer.returncode == 0, answer.stderr
    run = json.loads(answer.stdout.strip().splitlines()[-1])
    assert run["success"] is True
    assert run["plays"] > 0
    assert run["waiting"] is False
