"""`playlog wiring`: does what the template names exist in what was built, and can it be called?

A schedule that names code that is not there fails at night and in silence. So before anything goes live, what invokes
the functions is followed to them, and they are called as Lambda would call them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from playlog_cli.terminal import out, print_json
from playlog_cli.wiring.built_code import CodeFolder, called_services, described_services, required_variables, unmet
from playlog_cli.wiring.built_template import (
    FUNCTIONS,
    LAYERS,
    QUEUES,
    Resource,
    Template,
    UnknownNameError,
    as_text,
    load,
)
from playlog_cli.wiring.lambda_call import Function, Source, call, idle_aws, reserved_variables

BUILT_TEMPLATE = Path(".aws-sam/build/template.yaml")
# Read by the AWS SDK and by Powertools, not by the project's code.
LIBRARY_VARIABLES = ("AWS_", "POWERTOOLS_")


class Kind(NamedTuple):
    """What an expression must name: a resource of one of these types, or of any if there are none."""

    word: str
    types: tuple[str, ...]


FUNCTION = Kind("function", FUNCTIONS)
LAYER = Kind("layer", LAYERS)
QUEUE = Kind("queue", QUEUES)
RESOURCE = Kind("resource", ())

# docs/contract.md, The stack: what invokes these two.
INVOKED_BY = {"ConvertMatchesFunction": Source.SCHEDULE, "StoreFailuresFunction": Source.QUEUE}


@dataclass(frozen=True)
class Problem:
    """Something that would fail once it is live.

    Attributes:
        resource: where it stands, by its name in the template.
        wrong: what is wrong with which value.
        right: what would be right.
    """

    resource: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.wrong}: {self.right}"


@dataclass(frozen=True)
class Invocation:
    """Something in the template that invokes a function.

    Attributes:
        resource: what says so: a resource, or an event of a function, like ``StoreFailuresFunction.DeadLetters``.
        source: of what kind it is.
        target: expression that names the function.
        queue: expression that names the queue, of a queue mapping.
        enabled: expression that says whether it is on.
    """

    resource: str
    source: Source
    target: Any
    queue: Any = None
    enabled: Any = True


def wiring(
    template: Annotated[Path, typer.Argument(help="The template that `sam build` wrote.")] = BUILT_TEMPLATE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that what the built template names is there and can be called."""
    problems = check_wiring(template)
    if as_json:
        print_json({"template": str(template), "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            out.print(str(problem), soft_wrap=True)
        if not problems:
            out.print(f"{template}: every handler answers, and what invokes it is wired to it", soft_wrap=True)
    if problems:
        raise typer.Exit(1)


def check_wiring(template_path: Path) -> list[Problem]:
    """Checks a built template and the artefacts that it names.

    No request leaves the machine: the functions are called with an AWS endpoint on loopback and made-up credentials.

    Args:
        template_path: of the template that ``sam build`` wrote.

    Returns:
        All that is wrong.

    Raises:
        CommandError: there is no such template, or it is none.
    """
    template = load(template_path)
    invocations = list(_invocations(template))
    problems = [*_check_layers(template), *_check_invocations(template, invocations)]
    functions = []
    for resource in template.of_type(*FUNCTIONS):
        try:
            functions.append(_function(resource, template, invocations))
        except _ProblemsError as error:
            problems += error.problems
    problems += [*_check_functions(functions), *_check_packages(functions), *_check_services(functions)]
    return list(dict.fromkeys(problems))


# --- What invokes the functions. ---


def _invocations(template: Template) -> Iterator[Invocation]:
    for resource in template.resources.values():
        name, properties = resource.logical_id, resource.properties
        match resource.type:
            case "AWS::Serverless::Function":
                yield from _sam_events(resource)
            case "AWS::Events::Rule":
                source = Source.SCHEDULE if "ScheduleExpression" in properties else Source.RULE
                for target in properties.get("Targets") or [{}]:
                    yield Invocation(name, source, target.get("Arn"), enabled=_enabled(properties))
            case "AWS::Scheduler::Schedule":
                target = properties.get("Target") or {}
                yield Invocation(name, Source.SCHEDULE, target.get("Arn"), enabled=_enabled(properties))
            case "AWS::Lambda::EventSourceMapping":
                queue = properties.get("EventSourceArn")
                yield Invocation(name, Source.QUEUE, properties.get("FunctionName"), queue, _enabled(properties))


def _sam_events(function: Resource) -> Iterator[Invocation]:
    target = {"Ref": function.logical_id}
    for event_name, event in (function.properties.get("Events") or {}).items():
        name, properties = f"{function.logical_id}.{event_name}", event.get("Properties") or {}
        match event.get("Type"):
            case "Schedule" | "ScheduleV2":
                yield Invocation(name, Source.SCHEDULE, target, enabled=_enabled(properties))
            case "SQS":
                yield Invocation(name, Source.QUEUE, target, properties.get("Queue"), _enabled(properties))


def _enabled(properties: Mapping[str, Any]) -> Any:
    return properties.get("Enabled", properties.get("State", True))


def _check_invocations(template: Template, invocations: Iterable[Invocation]) -> Iterator[Problem]:
    for invocation in invocations:
        # A rule on a pattern of events may send them to anything.
        wanted = RESOURCE if invocation.source is Source.RULE else FUNCTION
        target = f"the target of its {invocation.source}"
        yield from _check_name(template, invocation.resource, target, invocation.target, wanted)
        if invocation.source is Source.QUEUE:
            yield from _check_name(template, invocation.resource, "its queue", invocation.queue, QUEUE)
    functions = {function.logical_id for function in template.of_type(*FUNCTIONS)}
    for name, source in INVOKED_BY.items():
        if name not in functions:
            yield Problem(name, "the template has no function of this name", "the contract names it: add it")
        elif source not in _sources(name, template, invocations):
            yield Problem(name, f"no {source} that is on invokes it", "give it one")


def _check_name(template: Template, resource: str, what: str, expression: Any, wanted: Kind) -> Iterator[Problem]:
    try:
        named = template.named_by(expression)
        shown = template.value(expression) or "absent"
    except UnknownNameError as error:
        named, shown = None, error
    candidates = [each for each in template.resources.values() if not wanted.types or each.type in wanted.types]
    if named not in candidates:
        choice = ", ".join(each.logical_id for each in candidates) or "none"
        yield Problem(resource, f"{what} is {shown}", f"name a {wanted.word} of the template ({choice})")


def _sources(function: str, template: Template, invocations: Iterable[Invocation]) -> frozenset[Source]:
    """What invokes a function, and is on."""
    found = set()
    for invocation in invocations:
        try:
            target = template.named_by(invocation.target)
            enabled = as_text(template.value(invocation.enabled))
        except UnknownNameError:
            continue
        if target and target.logical_id == function and enabled not in ("false", "DISABLED"):
            found.add(invocation.source)
    return frozenset(found)


# --- What they are made of. ---


class _ProblemsError(Exception):
    """A function cannot be put together; here is why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def _function(resource: Resource, template: Template, invocations: Iterable[Invocation]) -> Function:
    """Puts a function together from the template.

    Raises:
        _ProblemsError: the template names what is not there.
    """
    name, properties = resource.logical_id, resource.properties
    problems: list[Problem] = []
    uri = properties.get("CodeUri", properties.get("Code"))
    code = template.folder(uri)
    if code is None or not code.is_dir():
        problems.append(Problem(name, f"its code {uri} is no folder", "build the template with `make build`"))
    layers = []
    for expression in properties.get("Layers") or []:
        wrong = list(_check_name(template, name, "one of its layers", expression, LAYER))
        problems += wrong
        if not wrong and (layer := template.named_by(expression)):
            layers.append(CodeFolder(layer.logical_id, _python_folder(layer, template)))
    variables = {}
    for variable, expression in ((properties.get("Environment") or {}).get("Variables") or {}).items():
        try:
            value = template.value(expression)
        except UnknownNameError as error:
            problems.append(Problem(name, f"its variable {variable} is {error}", "name one that is there"))
            continue
        if value is not None:
            variables[variable] = as_text(value)
    if problems or code is None:
        raise _ProblemsError(problems)
    sources = _sources(name, template, invocations)
    return Function(resource, CodeFolder(name, code), tuple(layers), variables, sources)


def _python_folder(layer: Resource, template: Template) -> Path:
    content = template.folder(layer.properties.get("ContentUri", layer.properties.get("Content")))
    return (content or template.path.parent) / "python"


def _check_layers(template: Template) -> Iterator[Problem]:
    for resource in template.of_type(*LAYERS):
        layer = CodeFolder(resource.logical_id, _python_folder(resource, template))
        if not layer.path.is_dir() or not any(layer.path.iterdir()):
            yield Problem(layer.logical_id, f"it has nothing in {layer.path}", "build it with `make build`")
        for file in layer.compiled():
            yield Problem(
                layer.logical_id,
                f"{file} is compiled for one architecture",
                "use a package of pure Python, which serves both",
            )
        for package, gone in layer.gone():
            yield Problem(
                layer.logical_id,
                f"{gone} is gone, which {package.name} {package.version} had installed",
                "build it again, or leave the package out of the layer's requirements",
            )


def _check_packages(functions: Iterable[Function]) -> Iterator[Problem]:
    for function in functions:
        runtime = str(function.resource.properties.get("Runtime", ""))
        for folder, package, requirement in unmet(function.folders, runtime.removeprefix("python")):
            yield Problem(
                folder.logical_id,
                f"{package.name} {package.version} requires {requirement}, which no layer beside it has",
                "install it into the layer",
            )


def _check_services(functions: Iterable[Function]) -> Iterator[Problem]:
    for function in functions:
        described = described_services(function.folders)
        for folder in function.folders:
            for service in called_services(folder):
                if described is not None and service.name not in described:
                    wrong = f"its code makes a client for {service.name} ({service.place}), which no layer describes"
                    yield Problem(folder.logical_id, wrong, "keep its folder of botocore/data in the layer")


# --- Whether they can be called. ---


def _check_functions(functions: list[Function]) -> Iterator[Problem]:
    with idle_aws() as endpoint, ThreadPoolExecutor() as pool:
        outcomes = pool.map(lambda function: _check_call(function, endpoint), functions)
        problems = [problem for outcome in outcomes for problem in outcome]
    yield from problems
    told = {problem.wrong for problem in problems}
    yield from (problem for problem in _check_texts(functions) if problem.wrong not in told)


def _check_call(function: Function, endpoint: str) -> list[Problem]:
    unset: dict[str, str] = {}
    report = call(function, unset, endpoint)
    while report["missing"] and not report["answered"]:
        # Code gives up at the first variable that is missing: set it, to see what else there is.
        again = call(function, {**unset, **report["missing"]}, endpoint)
        if again["problems"] == report["problems"]:
            break
        unset, report = {**unset, **report["missing"]}, again
    places = {each.name: each.place for folder in function.folders for each in required_variables(folder)}
    problems = [_unset(function.logical_id, name, places.get(name, place)) for name, place in unset.items()]
    problems += [Problem(function.logical_id, wrong, right) for wrong, right in report["problems"]]
    if report["answered"]:
        problems += _check_unread(function, report["read"])
    return problems


def _check_unread(function: Function, read: Collection[str]) -> Iterator[Problem]:
    for name in function.variables:
        if name not in read and not name.startswith(LIBRARY_VARIABLES):
            wrong = f"the template sets the environment variable {name}, which its code does not read when it is called"
            yield Problem(function.logical_id, wrong, "take it out, or mend its name")


def _check_texts(functions: Iterable[Function]) -> Iterator[Problem]:
    """What the text of the code reads, whether a call came by or not."""
    reserved = {name for function in functions for name in reserved_variables(function)}
    set_by: dict[CodeFolder, set[str]] = {}
    for function in functions:
        for folder in function.folders:
            set_by.setdefault(folder, set()).update(function.variables)
    for folder, variables in set_by.items():
        for variable in required_variables(folder):
            if variable.name not in variables | reserved and not variable.name.startswith(LIBRARY_VARIABLES):
                yield _unset(folder.logical_id, variable.name, variable.place)


def _unset(logical_id: str, name: str, place: str) -> Problem:
    wrong = f"its code reads the environment variable {name} ({place}), which the template does not set"
    return Problem(logical_id, wrong, "set it under Environment, Variables")
