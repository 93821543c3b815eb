"""Commands of the AWS CLI as the documentation has them, run by botocore: the CLI itself is no part of this project."""

import json
import shlex
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.model import ServiceModel

# What the CLI takes from the shell, and not from a service's operation.
GLOBAL_OPTIONS = ("region", "profile", "output", "query", "no-cli-pager")
# What `aws SERVICE wait NAME` asks for, again and again.
WAITED_FOR = {
    ("cloudformation", "stack-delete-complete"): "describe-stacks",
    ("dynamodb", "table-exists"): "describe-table",
}


@dataclass(frozen=True)
class Call:
    """A command, as a client of boto3 is called."""

    service: str
    method: str
    arguments: dict[str, Any]


def run(session: boto3.Session, command: str) -> Any:
    """Runs ``aws SERVICE OPERATION --option value ...``.

    Raises:
        ValueError: there is no such command.
        ClientError: AWS refuses it.
    """
    call = parse(command)
    client = session.client(call.service)  # type: ignore[call-overload]
    return getattr(client, call.method)(**call.arguments)


def parse(command: str) -> Call:
    """Reads a command.

    Raises:
        ValueError: there is no such service, operation, waiter or option.
    """
    program, service, operation, *words = shlex.split(command)
    if program != "aws":
        raise ValueError(f"{command}: no command of the AWS CLI")
    model = _model(service)
    if operation == "wait":
        operation = WAITED_FOR[(service, words.pop(0))]
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in operations:
        raise ValueError(f"{command}: {service} has no {operation}")
    shape = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-"): (name, member) for name, member in (shape.members if shape else {}).items()}
    arguments = {}
    while words:
        option, values = words.pop(0).removeprefix("--"), []
        while words and not words[0].startswith("--"):
            values.append(words.pop(0))
        if option in GLOBAL_OPTIONS:
            continue
        on = option in members
        if not on and option.removeprefix("no-") not in members:
            raise ValueError(f"{command}: {operation} has no --{option}")
        name, member = members[option if on else option.removeprefix("no-")]
        arguments[name] = _value(member.type_name, values, on)
    return Call(service, xform_name(operations[operation]), arguments)


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _value(type_name: str, values: list[str], on: bool) -> Any:
    if type_name == "boolean":
        return on
    if values[0].startswith(("[", "{")):
        return json.loads(values[0])
    if type_name == "list":
        return values
    return int(values[0]) if type_name in ("integer", "long") else values[0]
