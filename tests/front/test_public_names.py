"""What users may import: the lazy roots and the faces of the rooms, and how their names behave."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_args, get_type_hints

import pytest

import fauxlab

ROOT = Path(__file__).resolve().parents[2]
ROOTS = ["fauxlab", "fauxlab_client", "fauxlab_contract", "fauxlab_mock"]
LAZY = [*ROOTS, "fauxlab_contract.check", "fauxlab_contract.generation", "fauxlab_mock.clock"]
FACES = [
    *ROOTS,
    *(
        f"{root}.{module.name}"
        for root in ROOTS
        for module in pkgutil.iter_modules(importlib.import_module(root).__path__)
        if module.ispkg
    ),
]
# Types that public signatures name and that nobody needs to import, and why.
NOT_PUBLIC = {
    "BaseUrl": "read in a document: a pair of origin and base path",
    "CallUnderWay": "the hooks of the guard hand it back to the guard",
    "WatchedCall": "the hooks of the guard make it",
    "Decision": "what a transform_reply changes; it is in fauxlab_mock.engine",
    "DeclaredParameter": "read in an operation: what it takes beside its body",
    "DeliveryOutcome": "what a send of one's own returns; it is in fauxlab_mock.webhooks",
    "Events": "what a mock attaches to its clock",
    "FaultEffect": "how an answer is spoilt; answers hold one",
    "Fields": "read in the conventions of a document",
    "Identity": "how waivers and baselines name a finding",
    "JobFacts": "what a verdict needs of a job",
    "JobLife": "read in a report, never made by a user",
    "Node": "a place in a document; documents hold one",
    "PhaseResult": "read in a report, never made by a user",
    "StepResult": "read in a report, never made by a user",
    "Point": "read in a report, never made by a user",
    "Picture": "how the mock draws; jobs and answers hold one",
    "Plan": "how the mock lets a job unfold; jobs hold one",
    "Responding": "what `Mock.respond` returns, for a `with` block",
    "Schema": "a place in a document; operations hold one",
    "SchemaValidator": "compiled by the document, used by the validation",
    "Words": "read in the conventions of a document",
    "SchemaError": "a document tells it as a DocumentError",
}
ELSEWHERE = {"Job": "fauxlab_client"}  # the client's; `fauxlab.Job` is the mock's


def face_of(name: str) -> ModuleType:
    return importlib.import_module(name)


def source_of(face: ModuleType) -> ast.Module:
    return ast.parse(Path(str(face.__file__)).read_text(encoding="utf-8"))


def imported_for_types(face: ModuleType) -> dict[str, str]:
    """Name -> module of what a face imports under TYPE_CHECKING."""
    blocks = [node for node in source_of(face).body if isinstance(node, ast.If)]
    return {
        alias.name: str(node.module)
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def import_everything() -> None:
    for root in ROOTS:
        for module in pkgutil.walk_packages(face_of(root).__path__, f"{root}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


@pytest.mark.parametrize("name", LAZY)
def test_a_lazy_face_says_three_times_the_same(name: str) -> None:
    """The names for type checkers, the homes and `__all__` are equal."""
    face = face_of(name)

    assert imported_for_types(face) == face._HOMES
    assert list(face._HOMES) == face.__all__


@pytest.mark.parametrize("name", LAZY)
def test_each_name_is_the_one_of_its_home(name: str) -> None:
    """A name of a lazy face is the object that its home defines and lists."""
    face = face_of(name)
    homes = {public: importlib.import_module(home) for public, home in face._HOMES.items()}

    assert [public for public in homes if public not in homes[public].__all__] == []
    assert [
        public for public, home in homes.items() if getattr(face, public) is not vars(home)[public]
    ] == []


@pytest.mark.parametrize("name", FACES)
def test_a_name_stays_the_same_object(name: str) -> None:
    """Whatever is imported in between, a second access gives the first object, and no module."""
    face = face_of(name)
    first = {public: getattr(face, public) for public in face.__all__}
    import_everything()

    again = {public: getattr(face, public) for public in face.__all__}

    assert again == first
    assert [public for public, value in again.items() if inspect.ismodule(value)] == []


@pytest.mark.parametrize("name", FACES)
def test_no_submodule_has_the_name_of_a_public_name(name: str) -> None:
    """Importing a submodule binds its name on the package, so no public name may be the same."""
    face = face_of(name)
    submodules = {module.name for module in pkgutil.iter_modules(face.__path__)}

    assert submodules & set(face.__all__) == set()


@pytest.mark.parametrize("name", FACES)
def test_dir_lists_the_public_names(name: str) -> None:
    """`dir()` shows every public name, also before it was loaded."""
    code = f"import {name}; print(sorted(set({name}.__all__) - set(dir({name}))))"
    command = [sys.executable, "-c", code]

    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FACES)
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    """Asking a package for what it does not have raises AttributeError with both names."""
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nonsense'"):
        _ = face_of(name).nonsense


def test_the_front_door_names_what_the_packages_do() -> None:
    """Where `fauxlab` and another root share a name, it is the same object."""
    others = [face_of(root) for root in ROOTS if root != "fauxlab"]
    different = {
        f"{other.__name__}.{name}"
        for other in others
        for name in set(other.__all__) & set(fauxlab.__all__)
        if getattr(other, name) is not getattr(fauxlab, name)
    }

    assert different == {f"{package}.{name}" for name, package in ELSEWHERE.items()}


def functions_of(value: Any) -> Iterator[FunctionType]:
    """The functions behind a public name: itself, or a class's constructor and public members."""
    members = vars(value) if inspect.isclass(value) else {"function": value}
    for name, member in members.items():
        function = member.fget if isinstance(member, property) else member
        if callable(function) and re.match("[a-z]|__init__$", name):
            function = inspect.unwrap(function)
            yield from [function] if inspect.isfunction(function) else []


def classes_in(hint: Any) -> Iterator[type]:
    """The classes of ours in a type: `tuple[Job, ...] | None` -> Job."""
    if isinstance(hint, type) and hint.__module__.partition(".")[0] in ROOTS:
        yield hint
    for argument in get_args(hint):
        parts = argument if isinstance(argument, list) else [argument]
        for part in parts:
            yield from classes_in(part)


def test_types_of_public_signatures_are_public() -> None:
    """Each class of ours that a public function takes or returns can be imported from `fauxlab`."""
    import_everything()
    names: dict[str, Any] = {}  # for annotations that are imported for type checkers only
    for module in [module for name, module in sys.modules.items() if name.startswith("fauxlab")]:
        names |= vars(module)
    used = {
        used_class
        for public in fauxlab.__all__
        for function in functions_of(getattr(fauxlab, public))
        for hint in get_type_hints(function, names | function.__globals__).values()
        for used_class in classes_in(hint)
    }
    importable = [getattr(fauxlab, public) for public in fauxlab.__all__]
    importable += [getattr(face_of(package), name) for name, package in ELSEWHERE.items()]

    assert {used_class.__name__ for used_class in used if used_class not in importable} == set(
        NOT_PUBLIC
    )


ERRORS = {
    "BlockedError": "fauxlab_mock.inprocess",
    "DocumentError": "fauxlab_contract.openapi",
    "FauxlabError": "fauxlab_client",
    "GuardError": "fauxlab_contract.guard",
    "InvalidReplyError": "fauxlab_mock.runtime",
    "TargetError": "fauxlab_contract.check",
}


def test_tracebacks_name_the_room_of_an_error() -> None:
    """A public error's module is the face that users import it from, not the file behind it."""
    errors = {
        name: getattr(fauxlab, name)
        for name in fauxlab.__all__
        if isinstance(getattr(fauxlab, name), type)
        and issubclass(getattr(fauxlab, name), Exception)
    }

    assert {name: error.__module__ for name, error in errors.items()} == ERRORS
    assert [
        name for name, error in errors.items() if getattr(face_of(ERRORS[name]), name) is not error
    ] == []


@pytest.mark.parametrize(
    "error",
    [
        face_of("fauxlab_client").ConnectionFailedError("No reply came.", sent=True, job_id=7),
        face_of("fauxlab_client").RateLimitError("Slow down.", http_status=429, retry_after_s=2.0),
        face_of("fauxlab_client").ValidationError("width is too large.", field="width"),
        face_of("fauxlab_contract").WireError("depth", "nested too deeply"),
        fauxlab.BlockedError("example.com:443"),
        fauxlab.DocumentError("api.yaml", "/paths", "is missing"),
        fauxlab.GuardError([]),
        fauxlab.InvalidReplyError("eta is missing"),
        fauxlab.TargetError("no address"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_pickled(error: Exception) -> None:
    """An error comes out of a pickle with its class, its text and its attributes."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 # made in this line

    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(
    "package, name",
    [
        ("hypothesis", "valid_requests"),
        ("hypothesis", "invalid_requests"),
        ("respx", "intercepted"),
        ("uvicorn", "serve"),
    ],
)
def test_a_missing_package_is_named(package: str, name: str) -> None:
    """A name that needs a package which is not installed says which command installs it."""
    code = f"import sys; sys.modules['{package}'] = None; from fauxlab import {name}"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: fauxlab.{name} needs {package}, which is not installed; get it with"
        f" pip install {package}"
    )


def test_importing_the_front_door_loads_nothing() -> None:
    """`import fauxlab` loads no module of the three packages but the one that makes it lazy."""
    code = (
        "import sys, fauxlab;"
        "print(sorted(name for name in sys.modules if name.startswith('fauxlab')))"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert result.stdout.strip() == "['fauxlab', 'fauxlab_contract', 'fauxlab_contract._lazy']"


def test_the_type_of_each_public_name_is_tested() -> None:
    """typing_of_public_names.py, which mypy reads, holds every name of `fauxlab`."""
    text = (Path(__file__).parent / "typing_of_public_names.py").read_text(encoding="utf-8")

    assert [name for name in fauxlab.__all__ if f"fauxlab.{name}" not in text] == []


@pytest.mark.parametrize(
    "plugin, fixture, given",
    [
        ("fixtures", "fauxlab", "Mock"),
        ("fixtures", "fauxlab_server", "Mock"),
        ("fixtures", "fauxlab_time", "Clock"),
        ("guard", "fauxlab_guard", "Guard"),
    ],
)
def test_fixtures_give_public_types(plugin: str, fixture: str, given: str) -> None:
    """The annotation of a fixture names a class of `fauxlab`, for tests to name it too."""
    module = importlib.import_module(f"fauxlab.pytest_plugin.{plugin}")
    annotation = inspect.signature(inspect.unwrap(getattr(module, fixture))).return_annotation

    assert (annotation, given in fauxlab.__all__) == (f"Iterator[{given}]", True)
