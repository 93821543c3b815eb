"""`playlog wiring`: does what the template names exist in what was built, and can it be called?

A schedule that names code that is not there fails at night and in silence. So each function is called here as Lambda
would call it: in a process of its own that sees its built artefacts, the standard library, the variables that the
template sets, and an AWS on loopback in which nothing waits.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, NamedTuple

import typer

from playlog_cli import wiring_probe
from playlog_cli.built_code import CodeFolder, required_variables, unmet
from playlog_cli.built_template import (
    ACCOUNT,
    FUNCTIONS,
    LAYERS,
    QUEUES,
    REGION,
    Resource,
    Template,
    UnknownNameError,
    as_text,
    load,
)
from playlog_cli.output import out, print_json

BUILT_TEMPLATE = Path(".aws-sam/build/template.yaml")
PROBE_SECONDS = 90

# What a variable is set to that the template lacks, to see what else is wrong: it may be a name as well as a number.
STAND_IN = "1"
# Read by the AWS SDK and by Powertools, not by the project's code.
LIBRARY_VARIABLES = ("AWS_", "POWERTOOLS_")


class Source(StrEnum):
    """What invokes a function."""

    SCHEDULE = "schedule"
    RULE = "rule"
    QUEUE = "queue mapping"


class Kind(NamedTuple):
    """What an expression must name: a resource of one of these types, or of any if there are none."""

    word: str
    types: tuple[str, ...]


FUNCTION = Kind("function", FUNCTIONS)
LAYER = Kind("layer", LAYERS)
QUEUE = Kind("queue", QUEUES)
RESOURCE = Kind("resource", ())

# CONTRACT, The stack: how these two come to run.
INVOKED_BY = {"ConvertMatchesFunction": Source.SCHEDULE, "StoreFailuresFunction": Source.QUEUE}

# As EventBridge and SQS send them. They ask for what is harmless in any AWS, and go to one that the check brings.
EVENTS: Mapping[Source, dict[str, Any]] = {
    Source.SCHEDULE: {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2026-03-14T08:00:00Z",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/playlog"],
        "detail": {},
    },
    Source.QUEUE: {
        "Records": [
            {
                "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
                "receiptHandle": "playlog-wiring",
                "body": json.dumps(
                    {
                        "version": 1,
                        "match_id": "playlog-wiring",
                        "attempt": 1,
                        "reason_code": "MISSING_TRACK",
                        "reason": "track_id is absent: it must name one",
                        "will_retry": False,
                        "failed_at": "2026-03-14T08:00:00.000000+0000",
                        "match": {"match_id": "playlog-wiring"},
                    }
                ),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1773475200000",
                    "SenderId": ACCOUNT,
                    "ApproximateFirstReceiveTimestamp": "1773475200000",
                },
                "messageAttributes": {},
                "md5OfBody": "00000000000000000000000000000000",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:playlog",
                "awsRegion": REGION,
            }
        ]
    },
}


@dataclass(frozen=True, order=True)
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


@dataclass(frozen=True)
class Function:
    """A function as it is called.

    Attributes:
        resource: in the template.
        code: its own folder.
        layers: the folders of its layers, in the order in which it names them.
        variables: what the template sets in its environment.
        sources: what invokes it.
    """

    resource: Resource
    code: CodeFolder
    layers: tuple[CodeFolder, ...]
    variables: Mapping[str, str]
    sources: frozenset[Source]

    @property
    def logical_id(self) -> str:
        """Its name in the template."""
        return self.resource.logical_id

    @property
    def folders(self) -> list[CodeFolder]:
        """Where it imports from. Layers are unpacked over one another: what comes later wins."""
        return [self.code, *reversed(self.layers)]


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
    problems += [*_check_functions(functions), *_check_packages(functions)]
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


# --- Whether they can be called. ---


def _check_functions(functions: list[Function]) -> Iterator[Problem]:
    with _idle_aws() as endpoint, ThreadPoolExecutor() as pool:
        outcomes = pool.map(lambda function: _check_call(function, endpoint), functions)
        problems = [problem for outcome in outcomes for problem in outcome]
    yield from problems
    told = {problem.wrong for problem in problems}
    yield from (problem for problem in _check_texts(functions) if problem.wrong not in told)


def _check_call(function: Function, endpoint: str) -> list[Problem]:
    unset: dict[str, str] = {}
    report = _probe(function, unset, endpoint)
    while report["missing"] and not report["answered"]:
        # Code gives up at the first variable that is missing: set it, to see what else there is.
        again = _probe(function, {**unset, **report["missing"]}, endpoint)
        if again["problems"] == report["problems"]:
            break
        unset, report = {**unset, **report["missing"]}, again
    places = {each.name: each.place for folder in function.folders for each in required_variables(folder)}
    problems = [_unset(function.logical_id, name, places.get(name, place)) for name, place in unset.items()]
    problems += [Problem(function.logical_id, wrong, right) for wrong, right in report["problems"]]
    if report["answered"]:
        problems += _check_unread(function, report["read"])
    return problems


def _check_unread(function: Function, read: Iterable[str]) -> Iterator[Problem]:
    for name in function.variables.keys() - set(read):
        if not name.startswith(LIBRARY_VARIABLES):
            wrong = f"the template sets the environment variable {name}, which its code does not read when it is called"
            yield Problem(function.logical_id, wrong, "take it out, or mend its name")


def _check_texts(functions: Iterable[Function]) -> Iterator[Problem]:
    """What the text of the code reads, whether a call came by or not."""
    known = {name for function in functions for name in _lambda_environment(function)}
    set_by: dict[CodeFolder, set[str]] = {}
    for function in functions:
        for folder in function.folders:
            set_by.setdefault(folder, set()).update(function.variables)
    for folder, variables in set_by.items():
        for variable in required_variables(folder):
            if variable.name not in variables | known and not variable.name.startswith(LIBRARY_VARIABLES):
                yield _unset(folder.logical_id, variable.name, variable.place)


def _unset(logical_id: str, name: str, place: str) -> Problem:
    wrong = f"its code reads the environment variable {name} ({place}), which the template does not set"
    return Problem(logical_id, wrong, "set it under Environment, Variables")


def _probe(function: Function, unset: Iterable[str], endpoint: str) -> wiring_probe.Report:
    """Calls a function in a process of its own.

    Args:
        function: which one.
        unset: variables to set that the template does not.
        endpoint: URL of what stands for AWS.
    """
    task = wiring_probe.Task(
        handler=str(function.resource.properties.get("Handler")),
        code=str(function.code.path),
        paths=[str(folder.path) for folder in function.folders],
        third_party=sorted(name for folder in function.folders for name in folder.third_party),
        modules=[module for folder in function.folders for module in folder.own_modules],
        events=[EVENTS[source] for source in Source if source in function.sources and source in EVENTS],
    )
    environment = {
        **_lambda_environment(function),
        **function.variables,
        **dict.fromkeys(unset, STAND_IN),
        "AWS_ENDPOINT_URL": endpoint,
        # The machine's own settings, which are found even with no HOME.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        process = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", "-B", wiring_probe.__file__],
            input=json.dumps(task),
            env=environment,
            cwd=function.code.path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _no_report(f"its handler {task['handler']} did not answer within {PROBE_SECONDS} s")
    if process.returncode or not process.stdout:
        last_line = (process.stderr.strip().splitlines() or ["nothing"])[-1]
        return _no_report(
            f"its handler {task['handler']} ended Python (status {process.returncode}), saying {last_line}"
        )
    report: wiring_probe.Report = json.loads(process.stdout)
    return report


def _no_report(wrong: str) -> wiring_probe.Report:
    return {"problems": [(wrong, "it must answer")], "answered": False, "read": [], "missing": {}}


def _lambda_environment(function: Function) -> dict[str, str]:
    """What Lambda itself sets (AWS Lambda Developer Guide, "Defined runtime environment variables")."""
    return {
        "_HANDLER": str(function.resource.properties.get("Handler")),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.resource.properties.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.logical_id}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "wiring",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(function.code.path),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "TZ": ":UTC",
    }


class _NothingWaits(BaseHTTPRequestHandler):
    """Answers every request of DynamoDB and SQS as an AWS in which nothing waits, and every write is taken."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = b'{"Items": [], "Count": 0, "ScannedCount": 0}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _idle_aws() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _NothingWaits) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
