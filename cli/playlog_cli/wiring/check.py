"""What only a look at the built template can tell: are the layers whole, and does something invoke each function?

Everything else is checked by the new version itself, before it goes live (`{"check": true}` in docs/contract.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playlog_cli.wiring.built_code import compiled, missing_files, unmet
from playlog_cli.wiring.built_template import FUNCTIONS, LAYERS, Template, UnknownNameError, as_text, folder, load

ALIAS = "AWS::Lambda::Alias"


@dataclass(frozen=True)
class Problem:
    """Something that would fail once it is live.

    Attributes:
        resource: its name in the template.
        wrong: what is wrong with which value.
        right: what would be right.
    """

    resource: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.wrong}: {self.right}"


def check_wiring(template_path: Path) -> list[Problem]:
    """Checks a built template and its layers. No request leaves the machine.

    Args:
        template_path: of the template that ``sam build`` wrote.

    Returns:
        All that is wrong.

    Raises:
        CommandError: there is no such template, or it is none.
    """
    template = load(template_path)
    return list(dict.fromkeys([*_layers(template), *_requirements(template), *_invocations(template)]))


def _layers(template: Template) -> Iterator[Problem]:
    for layer in template.of_type(*LAYERS):
        python = _folder(template, layer.logical_id)
        if not python.is_dir() or not any(python.iterdir()):
            yield Problem(layer.logical_id, f"it has nothing in {python}", "build it with `make build`")
        for file in compiled(python):
            wrong = f"{file} is compiled for one architecture"
            yield Problem(layer.logical_id, wrong, "use a package of pure Python, which serves both")
        for package, name in missing_files(python):
            wrong = f"{name} is gone, which {package.name} {package.version} had installed"
            yield Problem(
                layer.logical_id, wrong, "build it again, or leave the package out of the layer's requirements"
            )


def _requirements(template: Template) -> Iterator[Problem]:
    for function in template.of_type(*FUNCTIONS):
        names = [each["Ref"] for each in function.properties.get("Layers") or [] if isinstance(each, dict)]
        folders = {_folder(template, name): name for name in names if name in template.resources}
        version = str(function.properties.get("Runtime", "")).removeprefix("python")
        for name in names:
            if name not in template.resources:
                yield Problem(function.logical_id, f"it has the layer {name}", "name a layer of the template")
        for path, package, requirement in unmet(folders, version):
            wrong = f"{package.name} {package.version} requires {requirement}, which no layer beside it has"
            yield Problem(folders[path], wrong, "install it into the layer")


def _folder(template: Template, layer: str) -> Path:
    properties = template.resources[layer].properties
    content = folder(template, properties.get("ContentUri", properties.get("Content")))
    return (content or template.path.parent) / "python"


def _invocations(template: Template) -> Iterator[Problem]:
    """docs/contract.md, The stack: a schedule invokes ConvertMatches, and the dead-letter queue StoreFailures."""
    functions = {each.logical_id for each in template.of_type(*FUNCTIONS)}
    wanted = {"ConvertMatchesFunction": ("AWS::Events::Rule", "schedule"),
              "StoreFailuresFunction": ("AWS::Lambda::EventSourceMapping", "queue mapping")}  # fmt: skip
    for name, (kind, word) in wanted.items():
        if name not in functions:
            yield Problem(name, "the template has no function of this name", "the contract names it: add it")
        elif name not in {
            target for invoker in template.of_type(kind) for target in _invoked(template, invoker.logical_id)
        }:
            yield Problem(name, f"no {word} that is on invokes its alias", "give it one")


def _invoked(template: Template, invoker: str) -> Iterator[str]:
    """The functions whose alias a rule or a queue mapping invokes, if it is on."""
    properties = template.resources[invoker].properties
    if as_text(template.value(properties.get("Enabled", properties.get("State", True)))) in ("false", "DISABLED"):
        return
    targets = [each.get("Arn") for each in properties.get("Targets", [])] or [properties.get("FunctionName")]
    for target in targets:
        try:
            alias = template.named_by(target)
            function = template.named_by(alias.properties["FunctionName"]) if alias and alias.type == ALIAS else None
        except UnknownNameError:
            continue
        if function:
            yield function.logical_id
