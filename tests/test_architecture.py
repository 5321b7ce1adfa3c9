"""The house keeps its own rules: directions, complete tables, files that agree."""

import ast
import importlib
import re
import tomllib
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import yaml
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from demos import limits
from demos.generation.poem import FORMS
from demos.tasks import TASKS
from model_core.interfaces import ROLES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "demos", "model_core", "recipes", "benchmarks")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py")
) + [path for path in [ROOT / "app.py"] if path.exists()]
HOUSE_FILES = [
    path
    for folder in (ROOT, ROOT / ".ci", ROOT / "deploy")
    for path in sorted(folder.iterdir())
    if path.is_file()
]
REQUIREMENTS = tuple(ROOT.glob("requirements*.txt"))
PIN = re.compile(r"[A-Za-z0-9-]+(\[[a-z-]+\])?==[\w.]+(\s+#.*)?")

# spelled apart, so that this file does not hold what it looks for
UNFINISHED = re.compile(
    "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImpl" + "emented"))
    + r"|\b(?i:place"
    + r"holder(?!=)|st"
    + r"ub)\b"
)
WORKPLACE = re.compile(
    "|".join(("/wo" + "rk/", "/roo" + "t/", "fa" + "rm-", "bash_" + "jobs"))
)
VAGUE = {"utils", "helpers", "common", "manager", "process", "handle", "misc"}


def source_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def ids(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def test_tables_are_written_in_one_place():
    writers = re.compile(r"csv\.(writer|DictWriter)\(")
    found = [path for path in SOURCES if writers.search(path.read_text("utf-8"))]
    assert ids(found) == ["demos/tables.py"]


def test_every_import_contract_holds(monkeypatch):
    monkeypatch.chdir(ROOT)
    report = StringIO()
    with redirect_stdout(report):
        kept = lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS
    assert kept, report.getvalue()


def test_every_task_has_a_tab_and_every_tab_a_task():
    tabs = importlib.import_module("app.tabs").TABS
    assert [tab.task for tab in tabs] == list(TASKS)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_task_has_examples_and_labels(task):
    examples = importlib.import_module(f"demos.{task.name}.examples").EXAMPLES
    assert examples
    assert all(isinstance(example, task.request_type) for example in examples)
    names = limits.names_of(task.request_type)
    assert task.text_field in names
    for name in names:
        label = limits.label_of(task.request_type, name)
        assert label.zh
        assert label.en


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_role_that_a_task_asks_for_is_cast(task):
    casting = importlib.import_module("model_core.roles.cast").CASTING
    assert task.role in ROLES
    for player in casting[task.role.name]:
        module = importlib.import_module(f"model_core.roles.{player.module}")
        assert callable(getattr(module, player.name))


def test_every_role_is_cast_and_every_head_of_a_card_is_known():
    casting = importlib.import_module("model_core.roles.cast").CASTING
    catalog = importlib.import_module("model_core.catalog")
    assert list(casting) == [role.name for role in ROLES]
    assert tuple(catalog.ROLES_OF_TASK) == catalog.TASKS
    assert catalog.TASK_OF_ROLE.keys() >= catalog.HEAD_OF_ROLE.keys()
    families = importlib.import_module("model_core.models.families").FAMILIES
    for card in catalog.CARDS:
        assert card.head in families[card.family].heads


def test_every_form_of_verse_is_a_style_of_an_example():
    examples = importlib.import_module("demos.generation.examples").EXAMPLES
    assert FORMS.keys() <= {example.style for example in examples}


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_every_file_says_in_its_first_line_what_it_is_about(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = ast.get_docstring(tree)
    assert said
    assert len(said.splitlines()[0].split()) > 1


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_no_file_is_unfinished_or_knows_the_machine_it_was_written_on(path):
    text = path.read_text(encoding="utf-8")
    assert not UNFINISHED.search(text)
    assert not WORKPLACE.search(text)


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_names_say_what_they_do(path):
    names = {part.strip("_") for part in path.with_suffix("").parts[len(ROOT.parts) :]}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name.strip("_").lower())
    assert not names & VAGUE


def test_house_files_know_no_workplace():
    for path in HOUSE_FILES:
        assert not WORKPLACE.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("path", REQUIREMENTS, ids=ids(REQUIREMENTS))
def test_every_requirement_is_pinned_exactly(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or PIN.fullmatch(line), line


def test_every_extra_stands_in_its_requirements_file():
    dynamic = tomllib.loads(source_of("pyproject.toml"))["tool"]["setuptools"][
        "dynamic"
    ]
    files = [dynamic["dependencies"]["file"]]
    files += [extra["file"] for extra in dynamic["optional-dependencies"].values()]
    assert sorted(name for (name,) in files) == sorted(p.name for p in REQUIREMENTS)


def test_the_gpu_extra_is_the_same_tensorflow():
    version = re.compile(r"^tensorflow(?:\[and-cuda\])?==([\d.]+)", re.MULTILINE)
    (plain,) = version.findall(source_of("requirements.txt"))
    assert version.findall(source_of("requirements-gpu.txt")) == [plain]


def test_ci_runs_the_readmes_test_command():
    (command,) = re.findall(r"^pip install .* && pytest.*$", source_of(".ci/run"), re.M)
    assert f"\n{command}\n" in source_of("README.md")


def front_matter():
    return yaml.safe_load(source_of("README.md").split("---\n")[1])


def test_the_readme_can_be_pushed_as_a_space():
    facts = front_matter()
    (gradio,) = re.findall(r"^gradio==(\S+)", source_of("requirements.txt"), re.M)
    assert (facts["sdk"], str(facts["sdk_version"])) == ("gradio", gradio)
    assert (facts["app_file"], str(facts["python_version"])) == ("app.py", "3.11")
    assert facts["license"] == "apache-2.0"
    assert len(facts["short_description"]) <= 60
    assert facts["tags"]


def test_the_readmes_models_are_in_the_catalogue():
    catalog = importlib.import_module("model_core.catalog")
    known = {card.repo_id for name in catalog.TASKS for card in catalog.cards_for(name)}
    assert set(front_matter()["models"]) <= known


def test_the_readme_and_the_citation_name_the_articles():
    facts = yaml.safe_load(source_of("CITATION.cff"))
    urls = [
        part.get("url", part.get("repository-code")) for part in facts["references"]
    ]
    assert "https://github.com/bojone/bert4keras" in urls
    for article in (6933, 7292, 9762, 7124, 7161, 7764, 8046):
        assert f"https://kexue.fm/archives/{article}" in urls


def test_the_licence_is_whole():
    text = source_of("LICENSE")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
