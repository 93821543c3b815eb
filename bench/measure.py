"""Measures the deployed function's code: in processes of its own, on the template's tables, through the proxy."""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from playlog_cli.embedded.session import HOST, Server
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import Stack
from playlog_cli.wiring import built_template

from bench import backlog
from bench.capacity import Meter, Table
from bench.proxy import CountingProxy
from bench.results import Backlog, ColdStart, Machine, Process, Results, Units

ROOT = Path(__file__).parents[1]
COLD_STARTS = 10
# Small backlogs are measured more often: they are over in a moment, in which the machine may be busy otherwise.
MATCHES_IN_ALL_ROUNDS = 30_000
MOST_ROUNDS = 5
POLL_SECONDS = 0.2
OF_A_TABLE = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")

# What is being done, how much of it is done, and how much there is to do.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Deployed:
    """The converter as it is deployed.

    Attributes:
        code: the function's folder, as Lambda has it in /var/task.
        packages: its layers unpacked over one another, as Lambda has them in /opt/python.
        layers: bytes of each unzipped layer.
        variables: of its environment.
        memory_megabytes: that it has.
        tables: by logical id, what the template says of each.
    """

    code: Path
    packages: Path
    layers: dict[str, int]
    variables: dict[str, str]
    memory_megabytes: int
    tables: dict[str, Any]

    @property
    def paths(self) -> list[str]:
        """Where it imports from."""
        return [str(self.code), str(self.packages)]


def measure(
    stack: Stack, server: Server, build: Path, scratch: Path, sizes: Sequence[int], progress: Progress
) -> Iterator[Results]:
    """Measures everything.

    Args:
        stack: deployed.
        server: the embedded AWS that it is deployed into.
        build: what ``sam build`` built.
        scratch: folder for what is not kept.
        sizes: of the backlogs, in matches.
        progress: is told how far it is.

    Yields:
        What has been measured so far, after each backlog.

    Raises:
        CommandError: a process failed, a run did not convert all, or the counts cannot be trusted.
    """
    deployed = _laid_out(stack, build, scratch)
    proxy = CountingProxy(server.port)
    try:
        bench = _Bench(stack, server, proxy, deployed, scratch, progress)
        cold_starts = bench.cold_starts()
        results = Results(_machine(), deployed.memory_megabytes, deployed.layers, cold_starts, ())
        for size in sorted(sizes):
            results = replace(results, backlogs=(*results.backlogs, bench.backlog(size)))
            yield results
    finally:
        proxy.close()


def _laid_out(stack: Stack, build: Path, scratch: Path) -> Deployed:
    """Copies code and layers to where a process finds them as on Lambda, without bytecode."""
    template = built_template.load(build / "template.yaml")
    function = template.resources["ConvertMatchesFunction"]
    code, packages = scratch / "task", scratch / "opt"
    no_bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(built_template.folder(template, function.properties["CodeUri"]) or "", code, ignore=no_bytecode)
    layers = {}
    for name in function.properties["Layers"]:
        layer = template.named_by(name)
        assert layer
        unzipped = scratch / layer.logical_id
        shutil.copytree(
            built_template.folder(template, layer.properties["ContentUri"]) or "", unzipped, ignore=no_bytecode
        )
        layers[layer.logical_id] = sum(file.stat().st_size for file in unzipped.rglob("*") if file.is_file())
        shutil.copytree(unzipped / "python", packages, dirs_exist_ok=True)
    configuration = stack.functions.get_function_configuration(FunctionName=stack.convert_matches_function)
    return Deployed(
        code=code,
        packages=packages,
        layers=layers,
        variables=configuration["Environment"]["Variables"],
        memory_megabytes=configuration["MemorySize"],
        tables={
            table.logical_id: template.value(table.properties) for table in template.of_type("AWS::DynamoDB::Table")
        },
    )


@dataclass(frozen=True)
class _Names:
    """A pair of tables made for one run."""

    match_cache: str
    play_log: str

    @classmethod
    def of(cls, whose: str) -> "_Names":
        """The pair of the converter or the floor."""
        return cls(f"bench-{whose}-matches", f"bench-{whose}-plays")

    @property
    def by_logical_id(self) -> dict[str, str]:
        """What the template calls them, and what they are called."""
        return {"MatchCacheTable": self.match_cache, "PlayLogTable": self.play_log}


@dataclass(frozen=True)
class _Bench:
    stack: Stack
    server: Server
    proxy: CountingProxy
    deployed: Deployed
    scratch: Path
    progress: Progress

    def cold_starts(self) -> tuple[ColdStart, ...]:
        """Of the handler and of botocore with a DynamoDB client in turn, so that both meet the same machine."""
        kinds = [(what, compiled) for compiled in (False, True) for what in ("handler", "botocore")]
        found: dict[tuple[str, bool], list[dict[str, float]]] = {kind: [] for kind in kinds}
        for what, compiled in kinds:
            self._cold_start(what, compiled=compiled)  # the files are in the machine's cache from here on
        total = COLD_STARTS * len(kinds)
        for number in range(total):
            self.progress("cold starts", number, total)
            what, compiled = kinds[number % len(kinds)]
            found[what, compiled].append(self._cold_start(what, compiled=compiled))
        self.progress("cold starts", total, total)
        return tuple(
            ColdStart(
                what, compiled, *(_median(each, f"{name}_seconds") for name in ("import", "import_cpu", "request"))
            )
            for (what, compiled), each in found.items()
        )

    def backlog(self, size: int) -> Backlog:
        """A size of backlog, round after round."""
        rounds = max(1, min(MOST_ROUNDS, MATCHES_IN_ALL_ROUNDS // size))
        meters, converter, floor = [], [], []
        transactions = self.scratch / "transactions.jsonl"
        for number in range(rounds):
            what = f"{size:,} matches, round {number + 1} of {rounds}"
            with self._tables("converter") as names:
                meter, process = self._convert(names, size, transactions, what)
            with self._tables("floor") as names:
                self._load(names, size, f"{what}: loading for the floor")
                floor.append(self._floor(names, transactions, f"{what}: the floor"))
            meters.append(meter)
            converter.append(process)
        meter = meters[-1]
        units = tuple(
            Units(place.table, place.index, place.kind, str(rule), units)
            for (place, rule), units in sorted(meter.units.items())
        )
        return Backlog(size, dict(sorted(meter.requests.items())), units, tuple(converter), tuple(floor))

    def _cold_start(self, what: str, *, compiled: bool) -> dict[str, float]:
        task = {
            "paths": self.deployed.paths,
            "what": what,
            "table": self.deployed.variables["MATCH_CACHE_TABLE"],
            "event": {"shards": ["0"]},
        }
        options = [f"-Xpycache_prefix={self.scratch / 'bytecode'}"] if compiled else ["-B"]
        said: dict[str, float] = self._process(
            "bench.cold_start", task, self.server.endpoint, self.deployed.variables, options
        )
        return said

    def _convert(self, names: _Names, size: int, transactions: Path, what: str) -> tuple[Meter, Process]:
        variables = {
            **self.deployed.variables,
            "MATCH_CACHE_TABLE": names.match_cache,
            "PLAY_LOG_TABLE": names.play_log,
        }
        meter = Meter(self._known(names))
        ready = self.scratch / "ready"
        ready.unlink(missing_ok=True)
        task = {"paths": self.deployed.paths, "handler": "app.handler", "event": {}, "ready": str(ready)}
        with self._started("bench.one_run", task, self.proxy.endpoint, variables, ["-B"]) as process:
            while not ready.exists() and process.poll() is None:
                time.sleep(POLL_SECONDS)
            self._load(names, size, f"{what}: loading")
            with self.proxy.counting(meter, transactions):
                _write_line(process, "go")
                while process.poll() is None:
                    self.progress(f"{what}: converting", meter.played, size)
                    time.sleep(POLL_SECONDS)
        said = self._said("bench.one_run", process)
        self._check(said.pop("answer"), meter, size)
        return meter, Process(**said)

    def _check(self, answer: dict[str, Any], meter: Meter, size: int) -> None:
        """A count is worth something only if all was converted, once, and nothing went wrong on the way."""
        if (answer["processed"], answer["plays"], answer["failed"], answer["waiting"]) != (size, size, 0, False):
            raise CommandError(f"of {size:,} clean matches, the converter says: {answer['message']}")
        if problems := self.proxy.defects or meter.disagreements():
            raise CommandError(f"the counts cannot be trusted: {problems[0]}")
        if meter.refused:
            raise CommandError(f"the counts cannot be trusted: {meter.refused:,} requests were refused")

    def _floor(self, names: _Names, transactions: Path, what: str) -> Process:
        sent = _Names.of("converter")
        task = {
            "transactions": str(transactions),
            "names": {sent.match_cache: names.match_cache, sent.play_log: names.play_log},
            "host": HOST,
            "port": self.proxy.port,
        }
        self.progress(what, 0, 1)
        said = self._process("bench.floor", task, self.proxy.endpoint, {}, ["-B"])
        if refused := said.pop("refused"):
            raise CommandError(f"the floor cannot be trusted: {refused:,} of its transactions were refused")
        return Process(**said)

    def _process(
        self, module: str, task: dict[str, Any], endpoint: str, variables: dict[str, str], options: list[str]
    ) -> Any:
        """Runs one of this package's scripts to its end, and returns what it says."""
        with self._started(module, task, endpoint, variables, options) as process:
            process.wait()
        return self._said(module, process)

    @contextmanager
    def _started(
        self, module: str, task: dict[str, Any], endpoint: str, variables: dict[str, str], options: list[str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """One of this package's scripts at work, with no packages but those of the layers."""
        environment = {
            **self.server.environment,
            **variables,
            "PATH": os.defpath,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with (self.scratch / "stdout").open("wb") as out, (self.scratch / "stderr").open("wb") as err:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-E", "-s", "-S", *options, "-m", module],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
            )
            try:
                _write_line(process, json.dumps(task))
                yield process
            finally:
                process.kill()
                process.communicate()

    def _said(self, module: str, process: subprocess.Popen[bytes]) -> Any:
        """The last line of a script that has ended."""
        if process.returncode:
            last = ((self.scratch / "stderr").read_text().strip().splitlines() or ["nothing"])[-1]
            raise CommandError(f"{module} ended with status {process.returncode}, saying {last}")
        return json.loads((self.scratch / "stdout").read_text().splitlines()[-1])

    @contextmanager
    def _tables(self, whose: str) -> Iterator[_Names]:
        """Tables of the template that no function of the stack knows, so that the schedule converts nothing here."""
        names = _Names.of(whose)
        for logical_id, table in names.by_logical_id.items():
            properties = {part: self.deployed.tables[logical_id][part] for part in OF_A_TABLE}
            self.stack.dynamodb.create_table(TableName=table, **properties)
        try:
            yield names
        finally:
            for table in names.by_logical_id.values():
                self.stack.dynamodb.delete_table(TableName=table)

    def _known(self, names: _Names) -> dict[str, Table]:
        return {
            name: Table.of(logical_id, self.deployed.tables[logical_id])
            for logical_id, name in names.by_logical_id.items()
        }

    def _load(self, names: _Names, size: int, what: str) -> None:
        puts: list[Any] = []
        for number, match in enumerate(backlog.matches(size, self.stack.shards), start=1):
            puts.append({"PutRequest": {"Item": match}})
            if len(puts) == 25 or number == size:
                self.stack.dynamodb.batch_write_item(RequestItems={names.match_cache: puts})
                puts = []
                self.progress(what, number, size)


def _write_line(process: subprocess.Popen[bytes], line: str) -> None:
    assert process.stdin
    with suppress(BrokenPipeError):  # it has ended, and its status says why
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()


def _median(each: list[dict[str, float]], name: str) -> float:
    return median(measured[name] for measured in each)


def _machine() -> Machine:
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        date=datetime.now(UTC).date().isoformat(),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
