"""Facts about a deployed stack, as AWS reports them."""

from dataclasses import dataclass

from playlog.runtime.settings import LIVE

from playlog_cli.stacks.runs import RunFacts
from playlog_cli.stacks.versions import LiveVersion

GONE = "gone"
CONVERT_MATCHES, STORE_FAILURES = "ConvertMatchesFunction", "StoreFailuresFunction"
EVENTBRIDGE = "events.amazonaws.com"


@dataclass(frozen=True)
class FunctionFacts:
    """A function as it is deployed.

    Attributes:
        logical_id: its name in the template.
        name: name of the function.
        arn: None if there is no such function.
        state: as Lambda reports it: ``Active`` if it can be invoked; ``gone`` if there is no such function.
        state_reason: why it is in that state, where Lambda says so.
        last_update: ``Successful``, ``Failed`` or ``InProgress``.
        last_update_reason: why, where Lambda says so.
        last_modified: time of the last change, in UTC.
        reserved_concurrency: how many invocations may run at once; None if not set. With 0, none runs.
        log_group: name of its log group.
        live: what its alias points at; None if it has no alias.
        missing: what its live version lacks for a real invocation, by its own check; None if it was not checked.
    """

    logical_id: str
    name: str
    arn: str | None
    state: str
    state_reason: str | None = None
    last_update: str | None = None
    last_update_reason: str | None = None
    last_modified: str | None = None
    reserved_concurrency: int | None = None
    log_group: str | None = None
    live: LiveVersion | None = None
    missing: tuple[str, ...] | None = None

    @property
    def invoked_arn(self) -> str | None:
        """The ARN that the schedule and the queue mapping must invoke."""
        return self.live.arn if self.live else self.arn

    @property
    def invoked_name(self) -> str:
        """The name that commands must use to change what may invoke it."""
        return f"{self.name}:{LIVE}" if self.live else self.name


@dataclass(frozen=True)
class TargetFacts:
    """A target of a rule.

    Attributes:
        target_id: within the rule.
        arn: the resource that the rule invokes.
        exists: whether the function exists; None if the target is not a function of this account.
        may_invoke: whether the function's policy lets this rule invoke it; None if it is unknown.
    """

    target_id: str
    arn: str
    exists: bool | None
    may_invoke: bool | None


@dataclass(frozen=True)
class ScheduleFacts:
    """A rule with a schedule.

    Attributes:
        logical_id: its name in the template.
        name: name of the rule.
        arn: None if there is no such rule.
        expression: its schedule expression; None if there is no such rule.
        enabled: whether it fires at all.
        next_at: time of the next invocation, in UTC; None if there is none or it is unknown.
        next_is_latest: whether ``next_at`` is the latest possible time: EventBridge does not say when a rate began.
        expression_problem: why the expression never fires; None if it does.
        targets: what it invokes.
    """

    logical_id: str
    name: str
    arn: str | None
    expression: str | None = None
    enabled: bool = False
    next_at: str | None = None
    next_is_latest: bool = False
    expression_problem: str | None = None
    targets: tuple[TargetFacts, ...] = ()


@dataclass(frozen=True)
class MappingFacts:
    """An event source mapping, which passes the messages of a queue to a function.

    Attributes:
        logical_id: its name in the template; its uuid if it is not from there.
        uuid: id of the mapping.
        state: as Lambda reports it: ``Enabled`` if it works.
        state_reason: why, where Lambda says so.
        queue_arn: the queue.
        function_arn: the function.
        last_modified: time of the last change, in UTC.
        last_result: result of the last batch, where Lambda says so.
    """

    logical_id: str
    uuid: str
    state: str
    state_reason: str | None
    queue_arn: str
    function_arn: str
    last_modified: str
    last_result: str | None


@dataclass(frozen=True)
class Facts:
    """A deployed stack as AWS reports it.

    Attributes:
        stack: its name.
        region: where it is.
        asked_at: time of the requests, in UTC.
        schedule_expression: the stack's parameter ``ScheduleExpression``.
        dead_letter_queue_arn: None if there is no such queue.
        functions, schedules: those of the template.
        mappings: those of the dead-letter queue.
        runs: the last ones, the newest first.
    """

    stack: str
    region: str
    asked_at: str
    schedule_expression: str
    dead_letter_queue_arn: str | None
    functions: tuple[FunctionFacts, ...]
    schedules: tuple[ScheduleFacts, ...]
    mappings: tuple[MappingFacts, ...]
    runs: tuple[RunFacts, ...]

    def function(self, logical_id: str) -> FunctionFacts:
        """The function of this name."""
        return next(each for each in self.functions if each.logical_id == logical_id)
