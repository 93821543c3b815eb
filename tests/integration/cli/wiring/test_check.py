"""What a user would find out at night, once it is live, if `playlog wiring` did not say it before."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from playlog_cli.errors import CommandError
from playlog_cli.wiring.check import check_wiring, wiring
from typer.testing import CliRunner

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  BatchSize: {Type: Number, Default: 100}
  Endpoint: {Type: String, Default: ""}
Conditions:
  HasEndpoint: !Not [!Equals [!Ref Endpoint, ""]]
Globals:
  Function:
    Runtime: python3.13
    Handler: app.handler
    Layers: [!Ref PackagesLayer, !Ref OwnLayer]
    Environment:
      Variables:
        MATCH_TABLE: !Ref MatchTable
        AWS_ENDPOINT_URL: !If [HasEndpoint, !Ref Endpoint, !Ref AWS::NoValue]
Resources:
  MatchTable: {Type: AWS::DynamoDB::Table}
  Letters: {Type: AWS::SQS::Queue}
  ConvertMatchesFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: convert
      Environment:
        Variables:
          BATCH_SIZE: !Ref BatchSize
          QUEUE_URL: !Ref Letters
          POWERTOOLS_SERVICE_NAME: !Sub ${AWS::StackName}-convert
      Events:
        Often: {Type: Schedule, Properties: {Schedule: rate(2 minutes)}}
  StoreFailuresFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: store
      Events:
        Letter: {Type: SQS, Properties: {Queue: !GetAtt Letters.Arn}}
  PackagesLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: packages}}
  OwnLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: own}}
"""

FILES = {
    "convert/app.py": """
import os
from airplay.settings import number, text

def handler(event, context):
    assert event["source"] == "aws.events"
    assert text(os.environ, "QUEUE_URL").startswith("https://sqs.")
    return {"matches": number(os.environ, "BATCH_SIZE"), "table": text(os.environ, "MATCH_TABLE")}
""",
    "store/app.py": """
import json
import os
from airplay.settings import text

def handler(event, context):
    assert context.get_remaining_time_in_millis() > 0
    letters = [json.loads(record["body"]) for record in event["Records"]]
    assert text(os.environ, "MATCH_TABLE") and letters[0]["version"] == 1
    return {"batchItemFailures": []}
""",
    "own/python/airplay/__init__.py": "",
    "own/python/airplay/settings.py": """
import clockwork

def text(environment, name):
    if not environment.get(name):
        raise KeyError(f"{name} is missing")
    return environment[name]

def number(environment, name):
    return int(text(environment, name))
""",
    "own/python/airplay/audit.py": "import gearwheel\n",
    "packages/python/clockwork/__init__.py": "",
    "packages/python/clockwork-1.0.dist-info/METADATA": """Metadata-Version: 2.1
Name: clockwork
Version: 1.0
Requires-Dist: gearwheel>=2
Requires-Dist: sundial; python_version < "3.13"
Requires-Dist: hourglass; extra == "sand"
""",
    "packages/python/clockwork-1.0.dist-info/RECORD": """bin/clockwork,,
clockwork/__init__.py,,
clockwork-1.0.dist-info/METADATA,,
clockwork-1.0.dist-info/RECORD,,
""",
    "packages/python/gearwheel.py": "",
    "packages/python/gearwheel-2.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: gearwheel\nVersion: 2.1\n",
    "packages/python/gearwheel-2.1.dist-info/RECORD": "gearwheel.py,,\ngearwheel-2.1.dist-info/METADATA,,\n",
}


class Build:
    """A built template with its artefacts, in which nothing is wrong until a test spoils it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.yaml"
        self.template.write_text(TEMPLATE)
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def remove(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink()

    def replace(self, old: str, new: str, file: str = "template.yaml") -> None:
        text = (self.folder / file).read_text()
        assert old in text
        self.write(file, text.replace(old, new))

    def add_resource(self, name: str, kind: str, **properties: Any) -> None:
        resource = {name: {"Type": kind, "Properties": properties}}
        indented = "".join(f"  {line}\n" for line in yaml.safe_dump(resource).splitlines())
        self.template.write_text(self.template.read_text() + indented)

    def problems(self) -> list[str]:
        return [str(problem) for problem in check_wiring(self.template)]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_a_sound_build_is_not_held_up(build: Build) -> None:
    assert build.problems() == []


# --- Handlers. ---


def test_a_schedule_would_call_a_function_that_was_renamed(build: Build) -> None:
    build.replace("def handler", "def convert", "convert/app.py")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler is app.handler, and module app has no function handler: "
        "name a function that is there (convert)"
    ]


def test_a_schedule_would_call_a_module_that_was_renamed(build: Build) -> None:
    (build.folder / "convert/app.py").rename(build.folder / "convert/main.py")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler is app.handler, and its code has no module app: "
        "name a module that is there (main)"
    ]


def test_a_handler_would_be_called_with_more_than_it_takes(build: Build) -> None:
    build.replace("handler(event, context)", "handler(event)", "convert/app.py")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler app.handler cannot be called with an event and a context: "
        "too many positional arguments: it must take these two arguments"
    ]


def test_a_handler_would_raise_at_every_call(build: Build) -> None:
    build.replace('["source"]', '["origin"]', "convert/app.py")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler app.handler, called with a scheduled event, "
        "raised KeyError: 'origin' (app.py:6): it must answer with JSON"
    ]


def test_a_handler_would_answer_what_lambda_cannot_send(build: Build) -> None:
    build.replace('number(os.environ, "BATCH_SIZE")', 'os.environ["BATCH_SIZE"].encode()', "convert/app.py")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler app.handler, called with a scheduled event, "
        "raised TypeError: Object of type bytes is not JSON serializable: it must answer with JSON"
    ]


def test_every_dead_letter_would_end_in_the_parking_lot(build: Build) -> None:
    answer = 'print("no such table")\n    return {"batchItemFailures": [{"itemIdentifier": "1"}]}'
    build.replace('return {"batchItemFailures": []}', answer, "store/app.py")
    assert build.problems() == [
        "StoreFailuresFunction: its handler app.handler, called with a batch of its queue, "
        "gave a good message back as failed, and logged no such table: it must take the message"
    ]


def test_a_handler_that_ends_python_would_be_restarted_for_ever(build: Build) -> None:
    build.write("convert/app.py", "raise SystemExit('bye')\n")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler app.handler ended Python (status 1), saying bye: it must answer"
    ]


def test_a_handler_that_ends_python_quietly_would_be_restarted_for_ever(build: Build) -> None:
    build.write("convert/app.py", "raise SystemExit(0)\n")
    assert build.problems() == [
        "ConvertMatchesFunction: its handler app.handler ended Python (status 0), saying nothing: it must answer"
    ]


def test_a_function_folder_would_be_deployed_from_nowhere(build: Build) -> None:
    build.replace("CodeUri: store", "CodeUri: shop")
    assert build.problems() == [
        "StoreFailuresFunction: its code shop is no folder: build the template with `make build`"
    ]


# --- Packages. ---


def test_a_package_would_be_missing_where_the_machine_happens_to_have_it(build: Build) -> None:
    build.replace("import clockwork", "import clockwork, typer", "own/python/airplay/settings.py")
    assert build.problems() == [
        f"{name}: its code cannot be imported: ModuleNotFoundError: No module named 'typer' (airplay/settings.py:2): "
        "put typer into its code or one of its layers"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_a_package_would_be_missing_that_is_imported_on_a_bad_day_only(build: Build) -> None:
    build.remove("packages/python/gearwheel.py")
    found = build.problems()
    assert found[0].startswith("PackagesLayer: gearwheel.py is gone, which gearwheel 2.1 had installed: ")
    assert found[1:] == [
        f"{name}: its code cannot be imported: ModuleNotFoundError: No module named 'gearwheel' (airplay/audit.py:1): "
        "put gearwheel into its code or one of its layers"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_a_missing_package_is_told_once_however_many_modules_want_it(build: Build) -> None:
    build.write("packages/python/clockwork/__init__.py", "import sprocket\n")
    build.write("own/python/airplay/zeal.py", "import clockwork\n")
    assert build.problems() == [
        f"{name}: its code cannot be imported: ModuleNotFoundError: No module named 'sprocket' "
        "(airplay/settings.py:2): put sprocket into its code or one of its layers"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_code_that_is_no_python_would_be_deployed(build: Build) -> None:
    build.write("store/app.py", "def handler(event, context)\n")
    (found,) = build.problems()
    assert found.startswith(
        "StoreFailuresFunction: its code cannot be imported: SyntaxError: expected ':' (app.py, line 1)"
    )


def test_a_package_would_fail_to_start(build: Build) -> None:
    build.write("packages/python/clockwork/__init__.py", "import os\nos.environ['CLOCK_ZONE']\n")
    assert build.problems() == [
        f"{name}: its code cannot be imported: KeyError: 'CLOCK_ZONE' (airplay/settings.py:2): "
        "it must import with nothing but its code, its layers and the standard library"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_code_would_be_found_elsewhere_than_lambda_finds_it(build: Build) -> None:
    build.write("convert/origin.py", "PLACE = 'code'\n")
    build.write("packages/python/origin.py", "PLACE = 'first layer'\n")
    build.write("own/python/origin.py", "PLACE = 'last layer'\n")
    build.replace("import os\n", "import os, origin\nassert origin.PLACE == 'code'\n", "convert/app.py")
    build.replace("import json\n", "import json, origin\nassert origin.PLACE == 'last layer'\n", "store/app.py")
    assert build.problems() == []


def test_a_package_would_be_missing_that_another_package_wants(build: Build) -> None:
    build.remove("packages/python/gearwheel.py", "own/python/airplay/audit.py")
    metadata = "packages/python/gearwheel-2.1.dist-info"
    build.remove(f"{metadata}/METADATA", f"{metadata}/RECORD")
    (build.folder / metadata).rmdir()
    assert build.problems() == [
        "PackagesLayer: clockwork 1.0 requires gearwheel>=2, which no layer beside it has: install it into the layer"
    ]


def test_a_package_would_be_older_than_another_package_wants(build: Build) -> None:
    build.replace("Version: 2.1\n", "Version: 1.9\n", "packages/python/gearwheel-2.1.dist-info/METADATA")
    assert build.problems() == [
        "PackagesLayer: clockwork 1.0 requires gearwheel>=2, which no layer beside it has: install it into the layer"
    ]


def test_a_compiled_package_would_not_load_on_the_other_architecture(build: Build) -> None:
    build.write("packages/python/clockwork/fast.cpython-313-x86_64-linux-gnu.so", "")
    assert build.problems() == [
        "PackagesLayer: clockwork/fast.cpython-313-x86_64-linux-gnu.so is compiled for one architecture: "
        "use a package of pure Python, which serves both"
    ]


def test_a_layer_would_be_deployed_empty(build: Build) -> None:
    build.replace("ContentUri: packages", "ContentUri: parcels")
    found = build.problems()
    assert found[0].startswith("PackagesLayer: it has nothing in ")
    assert all("No module named" in problem for problem in found[1:])


def test_a_function_would_ask_for_a_layer_that_is_not_there(build: Build) -> None:
    build.replace("!Ref OwnLayer]", "!Ref OurLayer]")
    assert build.problems() == [
        f"{name}: one of its layers is OurLayer, which is neither a parameter nor a resource of the template: "
        "name a layer of the template (PackagesLayer, OwnLayer)"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_a_layer_that_one_function_names_beside_the_general_ones_is_not_held_up(build: Build) -> None:
    build.replace("Layers: [!Ref PackagesLayer, !Ref OwnLayer]", "Layers: [!Ref PackagesLayer]")
    for folder in ("convert", "store"):
        build.replace(f"CodeUri: {folder}", f"CodeUri: {folder}\n      Layers: [!Ref OwnLayer]")
    assert build.problems() == []


# --- Schedules and queues. ---


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ({"Fn::GetAtt": ["ConvertFunction", "Arn"]}, "ConvertFunction, which is neither a parameter nor a resource"),
        ({"Fn::Sub": "${ConvertFunction.Arn}"}, "ConvertFunction, which is neither a parameter nor a resource"),
        ("arn:aws:lambda:us-east-1:1:function:convert", "arn:aws:lambda:us-east-1:1:function:convert"),
        ({"Fn::GetAtt": "Letters.Arn"}, "arn:aws:sqs:us-east-1:123456789012:Letters"),
    ],
)
@pytest.mark.parametrize("kind", ["AWS::Events::Rule", "AWS::Scheduler::Schedule"])
def test_a_schedule_would_fire_at_nothing(build: Build, kind: str, target: Any, shown: str) -> None:
    expression = {"ScheduleExpression": "rate(1 day)"}
    if kind == "AWS::Events::Rule":
        build.add_resource("Nightly", kind, **expression, Targets=[{"Id": "it", "Arn": target}])
    else:
        build.add_resource("Nightly", kind, **expression, Target={"Arn": target})
    (found,) = build.problems()
    assert found.startswith(f"Nightly: the target of its schedule is {shown}")
    assert found.endswith(": name a function of the template (ConvertMatchesFunction, StoreFailuresFunction)")


@pytest.mark.parametrize(
    "target",
    [
        {"Fn::GetAtt": ["ConvertMatchesFunction", "Arn"]},
        {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${ConvertMatchesFunction}"},
    ],
)
def test_a_schedule_that_reaches_its_function_is_not_held_up(build: Build, target: Any) -> None:
    build.replace("Type: Schedule", "Type: Api")
    build.add_resource("Often", "AWS::Events::Rule", ScheduleExpression="rate(2 minutes)", Targets=[{"Arn": target}])
    assert build.problems() == []


def test_a_rule_that_passes_events_on_to_a_queue_is_not_held_up(build: Build) -> None:
    target = {"Id": "it", "Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}
    build.add_resource("Alerts", "AWS::Events::Rule", EventPattern={"source": ["aws.health"]}, Targets=[target])
    assert build.problems() == []


def test_a_rule_would_pass_events_on_to_nothing(build: Build) -> None:
    target = {"Id": "it", "Arn": {"Fn::GetAtt": ["Postbox", "Arn"]}}
    build.add_resource("Alerts", "AWS::Events::Rule", EventPattern={"source": ["aws.health"]}, Targets=[target])
    (found,) = build.problems()
    assert found.startswith("Alerts: the target of its rule is Postbox, which is neither ")


def test_a_schedule_with_no_target_would_fire_at_nothing(build: Build) -> None:
    build.add_resource("Nightly", "AWS::Events::Rule", ScheduleExpression="rate(1 day)")
    (found,) = build.problems()
    assert found.startswith("Nightly: the target of its schedule is absent: ")


@pytest.mark.parametrize("off", ["Enabled: false", "State: DISABLED"])
def test_matches_would_wait_for_a_schedule_that_is_off(build: Build, off: str) -> None:
    build.replace("Schedule: rate(2 minutes)", f"Schedule: rate(2 minutes), {off}")
    assert build.problems() == ["ConvertMatchesFunction: no schedule that is on invokes it: give it one"]


def test_dead_letters_would_wait_in_a_queue_that_nobody_reads(build: Build) -> None:
    build.replace("Type: SQS", "Type: Api")
    assert build.problems() == ["StoreFailuresFunction: no queue mapping that is on invokes it: give it one"]


def test_a_function_of_the_contract_would_be_gone(build: Build) -> None:
    build.replace("StoreFailuresFunction", "KeepFailuresFunction")
    assert build.problems() == [
        "StoreFailuresFunction: the template has no function of this name: the contract names it: add it"
    ]


@pytest.mark.parametrize("queue", ["!GetAtt Postbox.Arn", "!GetAtt MatchTable.Arn", "arn:aws:sqs:us-east-1:1:letters"])
def test_dead_letters_would_be_read_from_a_queue_that_is_not_there(build: Build, queue: str) -> None:
    build.replace("!GetAtt Letters.Arn", queue)
    (found,) = build.problems()
    assert found.startswith("StoreFailuresFunction.Letter: its queue is ")
    assert found.endswith(": name a queue of the template (Letters)")


def test_a_queue_would_be_read_by_a_function_that_is_not_there(build: Build) -> None:
    queue = {"Fn::GetAtt": ["Letters", "Arn"]}
    build.add_resource("Mapping", "AWS::Lambda::EventSourceMapping", EventSourceArn=queue, FunctionName="store")
    assert build.problems() == [
        "Mapping: the target of its queue mapping is store: "
        "name a function of the template (ConvertMatchesFunction, StoreFailuresFunction)"
    ]


# --- Environment variables. ---


def test_every_variable_that_the_template_forgot_is_told_at_once(build: Build) -> None:
    build.replace("BATCH_SIZE: !Ref BatchSize", "UNREAD: '1'")
    build.replace("QUEUE_URL: !Ref Letters", "POWERTOOLS_DEV: '1'")
    build.replace('.startswith("https://sqs.")', "", "convert/app.py")
    assert build.problems() == [
        "ConvertMatchesFunction: its code reads the environment variable QUEUE_URL (app.py:7), "
        "which the template does not set: set it under Environment, Variables",
        "ConvertMatchesFunction: its code reads the environment variable BATCH_SIZE (app.py:8), "
        "which the template does not set: set it under Environment, Variables",
        "ConvertMatchesFunction: the template sets the environment variable UNREAD, "
        "which its code does not read when it is called: take it out, or mend its name",
    ]


@pytest.mark.parametrize("read", ['os.environ["RARE"]', 'settings.text(os.environ, "RARE")'])
def test_a_variable_would_be_missing_that_is_read_on_a_bad_day_only(build: Build, read: str) -> None:
    code = f"import os\nfrom airplay import settings\n\ndef on_a_bad_day():\n    return {read}\n"
    build.write("own/python/airplay/rare.py", code)
    assert build.problems() == [
        "OwnLayer: its code reads the environment variable RARE (airplay/rare.py:5), "
        "which the template does not set: set it under Environment, Variables"
    ]


def test_a_variable_that_all_functions_lack_is_told_once_for_each(build: Build) -> None:
    build.replace("        MATCH_TABLE: !Ref MatchTable\n", "")
    table = "\ndef table(environment):\n    return text(environment, 'MATCH_TABLE')\n"
    settings = "own/python/airplay/settings.py"
    build.write(settings, (build.folder / settings).read_text() + table)
    for app in ("convert/app.py", "store/app.py"):
        build.replace("text\n", "table, text\n", app)
        build.replace('text(os.environ, "MATCH_TABLE")', "table(os.environ)", app)
    assert build.problems() == [
        f"{name}: its code reads the environment variable MATCH_TABLE (airplay/settings.py:13), "
        "which the template does not set: set it under Environment, Variables"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_a_variable_that_was_not_the_cause_is_not_asked_for(build: Build) -> None:
    build.replace("return {", 'raise RuntimeError(os.environ.get("RARE", "") and "")\n    return {', "convert/app.py")
    (found,) = build.problems()
    assert "raised RuntimeError" in found


@pytest.mark.parametrize("value", ["!If [HasEndpoint, !Ref Nothing, !Ref Letters]", "!GetAtt Letters.QueueUrl"])
def test_a_value_that_an_expression_comes_to_is_not_held_up(build: Build, value: str) -> None:
    build.replace("QUEUE_URL: !Ref Letters", f"QUEUE_URL: {value}")
    assert build.problems() == []


def test_a_variable_that_code_can_do_without_is_not_asked_for(build: Build) -> None:
    build.replace("return {", 'os.environ.get("RARE", "")\n    return {', "convert/app.py")
    assert build.problems() == []


def test_a_value_would_be_refused_by_the_code_that_reads_it(build: Build) -> None:
    build.replace("Default: 100", "Default: many")
    (found,) = build.problems()
    assert "raised ValueError: invalid literal for int() with base 10: 'many'" in found


def test_a_variable_would_name_a_table_that_is_not_there(build: Build) -> None:
    build.replace("MATCH_TABLE: !Ref MatchTable", "MATCH_TABLE: !Ref MatchesTable")
    assert build.problems() == [
        f"{name}: its variable MATCH_TABLE is MatchesTable, "
        "which is neither a parameter nor a resource of the template: name one that is there"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


def test_nothing_of_the_machine_reaches_a_function(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_URL", "https://sqs.of.this.machine")
    monkeypatch.setenv("PYTHONPATH", str(build.folder / "packages/python"))
    build.replace("QUEUE_URL: !Ref Letters", "POWERTOOLS_DEV: '1'")
    build.replace("Layers: [!Ref PackagesLayer, !Ref OwnLayer]", "Layers: [!Ref OwnLayer]")
    found = build.problems()
    assert any("No module named 'clockwork'" in problem for problem in found)
    build.replace("Layers: [!Ref OwnLayer]", "Layers: [!Ref PackagesLayer, !Ref OwnLayer]")
    assert any("QUEUE_URL (app.py:7), which the template does not set" in problem for problem in build.problems())


def test_no_call_leaves_the_machine(build: Build) -> None:
    call = """    import json, urllib.request
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"], b"{}") as answer:
        assert json.load(answer)["Items"] == []
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    return {"""
    build.replace('Default: ""', "Default: https://aws.example")
    build.replace("    return {", call, "convert/app.py")
    assert build.problems() == []


# --- The command. ---


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(wiring)
    return app


def test_a_deployment_would_go_on_after_a_problem(build: Build, command: typer.Typer) -> None:
    assert CliRunner().invoke(command, [str(build.template)]).exit_code == 0
    build.replace("Type: SQS", "Type: Api")
    result = CliRunner().invoke(command, [str(build.template)])
    assert result.exit_code == 1
    assert result.output == "StoreFailuresFunction: no queue mapping that is on invokes it: give it one\n"


def test_a_machine_would_have_to_read_prose(build: Build, command: typer.Typer) -> None:
    build.replace("Type: SQS", "Type: Api")
    result = CliRunner().invoke(command, [str(build.template), "--json"])
    assert result.exit_code == 1
    wrong = "no queue mapping that is on invokes it"
    assert json.loads(result.output) == {
        "template": str(build.template),
        "problems": [{"resource": "StoreFailuresFunction", "wrong": wrong, "right": "give it one"}],
    }


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (None, "there is no built template"),
        ("a: [", "is no YAML"),
        ("just text", "is no template: it must have a section Resources"),
        ("Resources: {Table: {}}", "is no template: resource Table must have a Type"),
    ],
)
def test_a_template_that_cannot_be_read_is_said_to_be_so(build: Build, text: str | None, wrong: str) -> None:
    if text is None:
        build.template.unlink()
    else:
        build.template.write_text(text)
    with pytest.raises(CommandError, match=wrong):
        check_wiring(build.template)


# --- The SDK. ---

RARE = """
import boto3

def rarely():
    return boto3.client("lambda", config=None)
"""


def test_a_service_that_is_called_in_rare_cases_only_and_was_cut_out_of_the_sdk_is_told(build: Build) -> None:
    build.write("own/python/airplay/rare.py", RARE)
    build.write("packages/python/boto3.py", "")
    build.write("packages/python/botocore/data/dynamodb/service.json", "")

    assert build.problems() == [
        "OwnLayer: its code makes a client for lambda (airplay/rare.py:5), which no layer describes: "
        "keep its folder of botocore/data in the layer"
    ]


@pytest.mark.parametrize("kept", ["packages/python/botocore/data/lambda/service.json", "packages/python/elsewhere.py"])
def test_a_service_that_the_sdk_knows_the_layers_or_lambdas_own_is_no_problem(build: Build, kept: str) -> None:
    build.write("own/python/airplay/rare.py", RARE)
    build.write("packages/python/boto3.py", "")
    build.write(kept, "")

    assert build.problems() == []
