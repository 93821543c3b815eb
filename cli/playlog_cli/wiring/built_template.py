"""The template that `sam build` wrote, read as CloudFormation would: intrinsics resolved with the parameters' defaults.

Resources have no physical names before they are deployed. They are given plausible ones, each its own, so that an
expression that names a resource resolves to a value by which the resource is found again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from playlog_cli.errors import CommandError

REGION = "us-east-1"
ACCOUNT = "123456789012"
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
QUEUES = ("AWS::SQS::Queue",)

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/playlog/0",
    "AWS::StackName": "playlog",
    "AWS::URLSuffix": "amazonaws.com",
}
_NO_VALUE = object()
# ${Name}, ${Name.Attribute} or ${AWS::Region}; ${!Literal} stands for ${Literal}.
_SUBSTITUTED = re.compile(r"\$\{(!?)([^}]+)\}")
_NAMES = {
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::DynamoDB::Table": "TableName",
}
_RESOURCE_PREFIXES = {
    "AWS::Serverless::Function": "lambda:{region}:{account}:function:",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:",
    "AWS::SQS::Queue": "sqs:{region}:{account}:",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/",
}


class UnknownNameError(Exception):
    """An expression names a parameter, resource or condition that the template does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}, which is neither a parameter nor a resource of the template")


@dataclass(frozen=True)
class Resource:
    """A resource of the template.

    Attributes:
        logical_id: its name in the template.
        type: like ``AWS::SQS::Queue``.
        properties: as written, with what SAM's ``Globals`` say of a function.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """A built template.

    Attributes:
        path: where it was read; what it says of folders is relative to the folder it stands in.
        parameters: their definitions by name.
        conditions: by name.
        resources: by logical id.
        mappings: by name.
    """

    path: Path
    parameters: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Resource]
    mappings: Mapping[str, Any] = field(default_factory=dict)

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types, in the order of the template."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def value(self, expression: Any) -> Any:
        """What an expression comes to, with the parameters' defaults and plausible names of resources.

        Args:
            expression: a part of the template, with intrinsic functions in their long form. One that cannot be known
                before deployment, like ``Fn::ImportValue``, stays as it is.

        Returns:
            The value; None where it is ``AWS::NoValue``. Lists and mappings leave such members out.

        Raises:
            UnknownNameError: it names what the template does not have.
        """
        value = self._resolve(expression)
        return None if value is _NO_VALUE else value

    def named_by(self, expression: Any) -> Resource | None:
        """The resource whose name, URL or ARN an expression comes to; None if it is no resource of the template.

        Raises:
            UnknownNameError: it names what the template does not have.
        """
        value = self._resolve(expression)
        return self._by_value.get(value) if isinstance(value, str) else None

    @cached_property
    def _by_value(self) -> dict[str, Resource]:
        resources = self.resources.values()
        return {value: each for each in resources for value in (self._reference(each), self._arn(each))}

    def _resolve(self, expression: Any) -> Any:
        if isinstance(expression, list):
            return [value for each in expression if (value := self._resolve(each)) is not _NO_VALUE]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            ((function, argument),) = expression.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, argument)
        values = {name: self._resolve(each) for name, each in expression.items()}
        return {name: value for name, value in values.items() if value is not _NO_VALUE}

    def _call(self, function: str, argument: Any) -> Any:
        match function, argument:
            case "Ref", str(name):
                return self._ref(name)
            case "Fn::GetAtt", str() | list():
                return self._attribute(*(argument.split(".", 1) if isinstance(argument, str) else argument))
            case "Fn::Sub", str(text):
                return self._substitute(text, {})
            case "Fn::Sub", [str(text), dict(values)]:
                return self._substitute(text, values)
            case "Fn::Join", [str(separator), parts]:
                return separator.join(as_text(part) for part in self._resolve(parts))
            case "Fn::Select", [index, parts]:
                return self._resolve(parts)[int(index)]
            case "Fn::Split", [str(separator), text]:
                return as_text(self._resolve(text)).split(separator)
            case "Fn::FindInMap", [str(table), str(row), str(column)]:
                return self.mappings[table][row][column]
            case "Fn::If", [str(condition), if_true, if_false]:
                return self._resolve(if_true if self._holds({"Condition": condition}) else if_false)
            case _:
                return {function: argument}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        if name in self.parameters:
            return self.parameters[name].get("Default", name)
        return self._reference(self._resource(name))

    def _attribute(self, name: str, attribute: str = "") -> str:
        resource = self._resource(name)
        match attribute:
            case "Arn":
                return self._arn(resource)
            case "QueueUrl":
                return self._reference(resource)
            case "QueueName":
                return self._name(resource)
            case _:
                return f"{name}.{attribute}"

    def _resource(self, name: str) -> Resource:
        if name not in self.resources:
            raise UnknownNameError(name)
        return self.resources[name]

    def _substitute(self, text: str, values: Mapping[str, Any]) -> str:
        def value(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return as_text(self._resolve(values[name]))
            return as_text(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return _SUBSTITUTED.sub(value, text)

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Condition": str(name)}:
                if name not in self.conditions:
                    raise UnknownNameError(name)
                return self._holds(self.conditions[name])
            case {"Fn::Equals": [left, right]}:
                return as_text(self._resolve(left)) == as_text(self._resolve(right))
            case {"Fn::Not": [negated]}:
                return not self._holds(negated)
            case {"Fn::And": list(every)}:
                return all(self._holds(each) for each in every)
            case {"Fn::Or": list(some)}:
                return any(self._holds(each) for each in some)
            case _:
                raise CommandError(f"{self.path}: {condition} is no condition of CloudFormation")

    def _name(self, resource: Resource) -> str:
        given = resource.properties.get(_NAMES.get(resource.type, ""), resource.logical_id)
        return as_text(self._resolve(given))

    def _reference(self, resource: Resource) -> str:
        return _reference(resource.type, self._name(resource))

    def _arn(self, resource: Resource) -> str:
        return _arn(resource.type, self._name(resource))


def _reference(kind: str, name: str) -> str:
    """What ``Ref`` gives of a resource."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}" if kind in QUEUES else name


def _arn(kind: str, name: str) -> str:
    prefix = _RESOURCE_PREFIXES.get(kind, "playlog:{region}:{account}:")
    return f"arn:aws:{prefix.format(region=REGION, account=ACCOUNT)}{name}"


def folder(template: Template, artefact: Any) -> Path | None:
    """The folder of a function's or a layer's code; None if it is not on this machine."""
    return (template.path.parent / artefact).resolve() if isinstance(artefact, str) else None


def load(path: Path) -> Template:
    """Reads a built template.

    Raises:
        CommandError: there is none, or it is no template.
    """
    try:
        # A SafeLoader with CloudFormation's tags.
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # nosec B506
    except FileNotFoundError:
        raise CommandError(f"there is no built template {path}: build it with `make build`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the built template {path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise CommandError(f"the built template {path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise CommandError(f"{path} is no template: it must have a section Resources")
    of_functions = (document.get("Globals") or {}).get("Function") or {}
    for name, body in document["Resources"].items():
        if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
            raise CommandError(f"{path} is no template: resource {name} must have a Type")
    return Template(
        path=path,
        parameters=document.get("Parameters") or {},
        conditions=document.get("Conditions") or {},
        mappings=document.get("Mappings") or {},
        resources={name: _resource(name, body, of_functions) for name, body in document["Resources"].items()},
    )


def as_text(value: Any) -> str:
    """A value as CloudFormation writes it into a text, such as an environment variable."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _resource(name: str, body: Mapping[str, Any], of_functions: Mapping[str, Any]) -> Resource:
    properties = body.get("Properties") or {}
    if body["Type"] == "AWS::Serverless::Function":
        properties = _merged(of_functions, properties)
    return Resource(name, body["Type"], properties)


def _merged(general: Any, own: Any) -> Any:
    """Merges as SAM does Globals: mappings member by member, lists one after the other, else the function's own."""
    if isinstance(general, dict) and isinstance(own, dict):
        both = {name: _merged(general[name], own[name]) for name in general.keys() & own.keys()}
        return {**general, **own, **both}
    if isinstance(general, list) and isinstance(own, list):
        return general + own
    return own


class _Loader(yaml.SafeLoader):
    """Reads intrinsic functions in their short form (``!Ref``) as their long form."""


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    argument: Any
    if isinstance(node, yaml.MappingNode):
        argument = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_scalar(node)  # type: ignore[arg-type]
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": argument}


_Loader.add_multi_constructor("!", _long_form)
