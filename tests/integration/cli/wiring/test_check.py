"""What only a look at the built template can tell before a deployment. The new version checks the rest itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from playlog_cli.commands.wiring import wiring_command
from playlog_cli.errors import CommandError
from playlog_cli.wiring.check import check_wiring
from typer.testing import CliRunner

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Mappings:
  Release:
    Built:
      ReleaseName: not built by make
      ConvertMatchesPermissions: unknown
      StoreFailuresPermissions: unknown
Globals:
  Function:
    Runtime: python3.13
    Handler: app.handler
    Layers: [!Ref PackagesLayer, !Ref OwnLayer]
Resources:
  Letters: {Type: AWS::SQS::Queue}
  ConvertMatchesRole: {Type: AWS::IAM::Role, Properties: {Policies: [allows this]}}
  StoreFailuresRole: {Type: AWS::IAM::Role, Properties: {Policies: [allows that]}}
  ConvertMatchesFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: convert}}
  StoreFailuresFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: store}}
  ConvertMatchesLive: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref ConvertMatchesFunction}}
  StoreFailuresLive: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref StoreFailuresFunction}}
  Often:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(2 minutes), Targets: [{Arn: !Ref ConvertMatchesLive}]}
  Letter: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref StoreFailuresLive}}
  PackagesLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: packages}}
  OwnLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: own}}
"""

FILES = {
    "own/python/airplay/__init__.py": "",
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
    """A built template with its layers, in which nothing is wrong until a test spoils it."""

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

    def problems(self) -> list[str]:
        return [str(problem) for problem in check_wiring(self.template)]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_a_sound_build_is_not_held_up(build: Build) -> None:
    assert build.problems() == []


# --- Packages. ---


def test_a_package_would_be_missing_whose_files_are_gone(build: Build) -> None:
    build.remove("packages/python/gearwheel.py")
    (found,) = build.problems()
    assert found.startswith("PackagesLayer: gearwheel.py is gone, which gearwheel 2.1 had installed: ")


def test_a_package_would_be_missing_that_another_package_wants(build: Build) -> None:
    metadata = "packages/python/gearwheel-2.1.dist-info"
    build.remove("packages/python/gearwheel.py", f"{metadata}/METADATA", f"{metadata}/RECORD")
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
    (found,) = build.problems()
    assert found.startswith("PackagesLayer: it has nothing in ")


def test_a_function_would_ask_for_a_layer_that_is_not_there(build: Build) -> None:
    build.replace("!Ref OwnLayer]", "!Ref OurLayer]")
    assert build.problems() == [
        f"{name}: it has the layer OurLayer: name a layer of the template"
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    ]


# --- Schedules and queues. ---


@pytest.mark.parametrize(
    "target",
    ["!Ref ConvertMatchesFunction", "!Ref StoreFailuresLive", "!GetAtt Letters.Arn", "arn:aws:lambda:x", "!Ref X"],
)
def test_matches_would_wait_for_a_schedule_that_invokes_something_else(build: Build, target: str) -> None:
    build.replace("Arn: !Ref ConvertMatchesLive", f"Arn: {target}")
    assert build.problems() == ["ConvertMatchesFunction: no schedule that is on invokes its alias: give it one"]


@pytest.mark.parametrize("off", ["Enabled: false", "State: DISABLED"])
def test_matches_would_wait_for_a_schedule_that_is_off(build: Build, off: str) -> None:
    build.replace("ScheduleExpression: rate(2 minutes)", f"ScheduleExpression: rate(2 minutes), {off}")
    assert build.problems() == ["ConvertMatchesFunction: no schedule that is on invokes its alias: give it one"]


def test_dead_letters_would_wait_in_a_queue_that_nobody_reads(build: Build) -> None:
    build.replace("FunctionName: !Ref StoreFailuresLive", "FunctionName: !Ref StoreFailuresFunction")
    assert build.problems() == ["StoreFailuresFunction: no queue mapping that is on invokes its alias: give it one"]


def test_a_function_of_the_contract_would_be_gone(build: Build) -> None:
    build.replace("StoreFailuresFunction", "KeepFailuresFunction")
    assert build.problems() == [
        "StoreFailuresFunction: the template has no function of this name: the contract names it: add it"
    ]


# --- The command. ---


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(wiring_command)
    return app


def test_a_deployment_would_go_on_after_a_problem(build: Build, command: typer.Typer) -> None:
    assert CliRunner().invoke(command, [str(build.template)]).exit_code == 0
    build.replace("Type: AWS::Lambda::EventSourceMapping", "Type: Api")
    result = CliRunner().invoke(command, [str(build.template)])
    assert result.exit_code == 1
    assert result.output == ("StoreFailuresFunction: no queue mapping that is on invokes its alias: give it one\n")


def test_a_machine_would_have_to_read_prose(build: Build, command: typer.Typer) -> None:
    build.replace("Type: AWS::Lambda::EventSourceMapping", "Type: Api")
    result = CliRunner().invoke(command, [str(build.template), "--json"])
    assert result.exit_code == 1
    wrong = "no queue mapping that is on invokes its alias"
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


# --- The release. ---


def named(build: Build, command: typer.Typer) -> dict[str, Any]:
    """Names the release of a freshly built template."""
    assert CliRunner().invoke(command, [str(build.template), "--name-release"]).exit_code == 0
    built: dict[str, Any] = yaml.safe_load(build.template.read_text().replace("!", ""))["Mappings"]["Release"]["Built"]
    return built


def test_the_same_files_would_be_another_release(build: Build, command: typer.Typer) -> None:
    assert named(build, command) == named(build, command)


def test_other_code_would_be_the_same_release(build: Build, command: typer.Typer) -> None:
    before = named(build, command)
    build.write("own/python/airplay/__init__.py", "CHANGED = True\n")
    after = named(build, command)
    assert before["ReleaseName"] != after["ReleaseName"]
    assert before["ConvertMatchesPermissions"] == after["ConvertMatchesPermissions"]


def test_a_role_would_lose_a_permission_while_the_live_version_uses_it(build: Build, command: typer.Typer) -> None:
    before = named(build, command)
    build.replace("allows this", "allows less")
    after = named(build, command)
    assert before["ConvertMatchesPermissions"] != after["ConvertMatchesPermissions"]
    assert before["StoreFailuresPermissions"] == after["StoreFailuresPermissions"]
