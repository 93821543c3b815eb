"""Calls a function's handler with its built artefacts and the standard library alone.

Run as a script by ``wiring``, isolated (``python -I -S``): it imports nothing of the project, reads a task from
standard input and writes a report to standard output, both JSON.
"""

import importlib
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any, TypedDict

# What the handler is told that it has left: more than it keeps back to end in time.
SECONDS_LEFT = 45.0


class Task(TypedDict):
    """What to probe.

    Attributes:
        handler: as the template names it, like ``app.handler``.
        code: the function's folder.
        paths: where Lambda would import from, in that order: ``code``, then the layers.
        third_party: top-level names in ``paths`` that are not the project's own code.
        modules: the project's own modules in the layers, like ``playlog.domain.validation``.
        events: to call the handler with, one after the other.
    """

    handler: str
    code: str
    paths: list[str]
    third_party: list[str]
    modules: list[str]
    events: list[Any]


class Report(TypedDict):
    """What came of it.

    Attributes:
        problems: pairs of what is wrong and what would be right.
        answered: whether the handler was called with every event, and answered.
        read: environment variables that the project's own code read.
        missing: those that it looked for in vain, with the file and line that did.
    """

    problems: list[tuple[str, str]]
    answered: bool
    read: list[str]
    missing: dict[str, str]


class _ProblemError(Exception):
    """What is wrong, and what would be right. Of problems with one cause, the first is told."""

    def __init__(self, wrong: str, right: str, cause: str = "") -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.right = right
        self.cause = cause or wrong


class _Context:
    """What Lambda tells a handler of its invocation."""

    def __init__(self) -> None:
        self.aws_request_id = "00000000-0000-4000-8000-000000000000"
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + SECONDS_LEFT

    def get_remaining_time_in_millis(self) -> int:
        return round((self._deadline - time.monotonic()) * 1000)


class _OwnCode:
    """Tells the project's own code from third-party packages, and where in it something happens."""

    def __init__(self, task: Task) -> None:
        self._paths = [Path(path) for path in task["paths"]]
        self._third_party = frozenset(task["third_party"])

    def place(self, frame: FrameType | None) -> str | None:
        """File and line of the innermost code of the artefacts, if that is the project's own."""
        while frame:
            if inside := self._inside(frame.f_code.co_filename):
                return None if inside.parts[0] in self._third_party else f"{inside}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def places(self, error: BaseException) -> list[str]:
        """Files and lines of the project's own code that an error went through, outermost first."""
        at = [(self._inside(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
        return [f"{inside}:{line}" for inside, line in at if inside and inside.parts[0] not in self._third_party]

    def _inside(self, file: str) -> Path | None:
        return next((Path(file).relative_to(path) for path in self._paths if Path(file).is_relative_to(path)), None)


class _Environment(type(os.environ)):  # type: ignore[misc]  # os._Environ, which has no public name
    """The process's environment, which notes what the project's own code looks for."""

    own_code: _OwnCode
    read: set[str]
    missing: dict[str, str]

    def __getitem__(self, name: str) -> str:
        place = self.own_code.place(sys._getframe(1))
        try:
            value: str = super().__getitem__(name)
        except KeyError:
            if place:
                self.missing.setdefault(name, place)
            raise
        if place:
            self.read.add(name)
        return value


def main() -> None:
    """Does the task on standard input."""
    with redirect_stdout(StringIO()) as log:
        report = probe(json.load(sys.stdin), log)
    json.dump(report, sys.stdout)


def probe(task: Task, log: StringIO) -> Report:
    """Imports the handler, calls it, and imports the project's other modules.

    Args:
        task: what to probe.
        log: where standard output goes meanwhile.

    Returns:
        What came of it.
    """
    own_code = _OwnCode(task)
    environment = _watch_environment(own_code)
    sys.path[:0] = task["paths"]
    problems: list[_ProblemError] = []
    answered = False
    try:
        handler = _find(task, own_code)
        for event in task["events"]:
            _call(handler, task["handler"], event, own_code, log)
        answered = bool(task["events"])
    except _ProblemError as problem:
        problems.append(problem)
    read, missing = sorted(environment.read), dict(environment.missing)
    problems += _import_all(task["modules"], own_code)
    # Backwards, so that the first one of a cause stands.
    by_cause = {problem.cause: (problem.wrong, problem.right) for problem in reversed(problems)}
    return {"problems": list(reversed(by_cause.values())), "answered": answered, "read": read, "missing": missing}


def _watch_environment(own_code: _OwnCode) -> _Environment:
    environment: Any = os.environ
    environment.__class__ = _Environment
    environment.own_code = own_code
    environment.read = set()
    environment.missing = {}
    watched: _Environment = environment
    return watched


def _find(task: Task, own_code: _OwnCode) -> Callable[..., Any]:
    module_path, _, name = task["handler"].rpartition(".")
    module_name = module_path.replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # noqa: BLE001 - whatever it raises, Lambda would see it
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module_name}.".startswith(f"{error.name}."):
            found = ", ".join(sorted(path.stem for path in Path(task["code"]).glob("*.py"))) or "none"
            wrong = f"its handler is {task['handler']}, and its code has no module {module_name}"
            raise _ProblemError(wrong, f"name a module that is there ({found})") from None
        raise _cannot_import(error, own_code) from None
    handler: Any = getattr(module, name, None)
    if not callable(handler):
        functions = [
            each for each, value in vars(module).items() if inspect.isfunction(value) and not each.startswith("_")
        ]
        found = ", ".join(each for each in functions if vars(module)[each].__module__ == module_name) or "none"
        wrong = f"its handler is {task['handler']}, and module {module_name} has no function {name}"
        raise _ProblemError(wrong, f"name a function that is there ({found})")
    try:
        inspect.signature(handler).bind({}, None)
    except TypeError as error:
        wrong = f"its handler {task['handler']} cannot be called with an event and a context: {error}"
        raise _ProblemError(wrong, "it must take these two arguments") from None
    called: Callable[..., Any] = handler
    return called


def _call(handler: Callable[..., Any], name: str, event: Any, own_code: _OwnCode, log: StringIO) -> None:
    called = f"its handler {name}, called with {'a batch of its queue' if 'Records' in event else 'a scheduled event'},"
    try:
        answer = handler(event, _Context())
        json.dumps(answer)
    except Exception as error:  # noqa: BLE001 - whatever it raises, Lambda would see it
        raise _ProblemError(f"{called} raised {_described(error, own_code)}", "it must answer with JSON") from None
    if isinstance(answer, dict) and answer.get("batchItemFailures"):
        last_line = log.getvalue().rstrip().rpartition("\n")[2] or "nothing"
        wrong = f"{called} gave a good message back as failed, and logged {last_line}"
        raise _ProblemError(wrong, "it must take the message")


def _import_all(modules: list[str], own_code: _OwnCode) -> Iterator[_ProblemError]:
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever it raises, Lambda would see it
            yield _cannot_import(error, own_code)


def _cannot_import(error: Exception, own_code: _OwnCode) -> _ProblemError:
    wrong = f"its code cannot be imported: {_described(error, own_code)}"
    right = "it must import with nothing but its code, its layers and the standard library"
    if isinstance(error, ModuleNotFoundError):
        right = f"put {error.name} into its code or one of its layers"
    return _ProblemError(wrong, right, cause=f"{type(error).__name__}: {error}")


def _described(error: Exception, own_code: _OwnCode) -> str:
    message = " ".join(str(error).split())
    places = own_code.places(error)
    return f"{type(error).__name__}: {message}" + (f" ({places[-1]})" if places else "")


if __name__ == "__main__":
    main()
