"""`make invoke`: one function in a container of Lambda's own image, on the tables and queues of an embedded AWS."""

import json
from pathlib import Path

from playlog_cli.demo.show import Steps
from playlog_cli.embedded import docker, ministack
from playlog_cli.embedded.session import REGION, Session, claimed, session
from playlog_cli.embedded.tools import sam_in_sight
from playlog_cli.errors import CommandError
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.stack import Stack, find_stack

SAMPLE = "samples/airplay.csv"
# Lambda's image, as sam names it. `docker pull` renews one that is on this machine.
IMAGE = "public.ecr.aws/lambda/python:3.13"
# So that the matches are left to the function in the container.
SCHEDULE = {"ScheduleExpression": "rate(365 days)"}


def invoke(function: str, event: Path, steps: Steps) -> str:
    """Starts an embedded AWS with the sample day, invokes a function in a container, and stops the AWS again.

    Args:
        function: logical id of the function.
        event: file with the event, as JSON.
        steps: shows each step.

    Returns:
        The function's answer, as JSON.

    Raises:
        CommandError: there is no Docker, no such function or file, or a tool failed.
        BotoCoreError, ClientError: the embedded AWS refused a call.
    """
    used = session("invoke")
    functions = ministack.functions(used)
    if function not in functions:
        raise CommandError(f"template.yaml has no function {function}: it has {', '.join(functions)}")
    if not event.is_file():
        raise CommandError(f"there is no file {event}: events/ has examples")
    docker.require()
    host = docker.bridge()
    with claimed(used):
        with steps.step("installing SAM and MiniStack, which takes a minute the first time"):
            ministack.install(used)
        with ministack.served(used, host) as server:
            with steps.step("building the template and starting MiniStack") as step:
                ministack.build(used)
                ministack.wait_until_ready(used, server)
                step.did = f"built the template, started MiniStack on {server.endpoint}"
            with steps.step("deploying the stack"):
                # Its own functions would look for it on loopback.
                ministack.deploy(used, server, {**SCHEDULE, "AwsEndpointUrl": server.endpoint})
            with ministack.spoken_to(server):
                stack = find_stack()
                with steps.step(f"loading {SAMPLE}") as step:
                    load_files(
                        stack,
                        [used.checkout / SAMPLE],
                        lambda file: step.progress(file.bytes_read, file.bytes_total),
                    )
                return _invoke(used, stack, function, event.resolve(), f"http://{docker.HOST_NAME}:{server.port}")


def _invoke(used: Session, stack: Stack, function: str, event: Path, endpoint: str) -> str:
    variables = used.scratch / "variables.json"
    variables.write_text(json.dumps({"Parameters": {**_names(stack), "AWS_ENDPOINT_URL": endpoint}}))
    architecture = docker.architecture()
    has_image = docker.has_image(f"{IMAGE}-{architecture}")
    return sam_in_sight(
        used,
        [
            *("local", "invoke", function, "--template", str(used.build / "template.yaml")),
            *("--event", str(event), "--env-vars", str(variables), "--region", REGION),
            *("--add-host", f"{docker.HOST_NAME}:host-gateway", "--parameter-overrides"),
            f"Architecture={architecture}",
            *(["--skip-pull-image"] if has_image else []),
        ],
        {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
    )


def _names(stack: Stack) -> dict[str, str]:
    """Names of tables and queue, for the functions: sam would give them logical ids."""
    return {
        "MATCH_CACHE_TABLE": stack.match_cache_table,
        "PLAY_LOG_TABLE": stack.play_log_table,
        "FAILED_PLAY_LOG_TABLE": stack.failed_play_log_table,
        "DEAD_LETTER_QUEUE_URL": stack.dead_letter_queue_url,
        "STATION_GUARD_TABLE": _resource(stack, "StationGuardTable"),
    }


def _resource(stack: Stack, logical_id: str) -> str:
    cloudformation = stack.session.client("cloudformation")
    detail = cloudformation.describe_stack_resource(StackName=stack.name, LogicalResourceId=logical_id)
    return detail["StackResourceDetail"]["PhysicalResourceId"]
