"""What a test's mock is made with: the marker, the options of the run and the ini file.

The closest wins: a test's marker, its class's, its module's, an option, the ini file.
"""

from __future__ import annotations

from dataclasses import Field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from fauxlab_contract._parts import require
from fauxlab_contract.core.text import did_you_mean
from fauxlab_mock.settings import options, read_option

if TYPE_CHECKING:
    from fauxlab_contract.openapi.document import Document
    from fauxlab_mock.settings import Settings

__all__ = [
    "OPTION_GROUP",
    "allowed_hosts_of",
    "check_is_read",
    "document_of",
    "fail",
    "ini_value",
    "is_strict_about_rules",
    "pytest_addoption",
    "pytest_configure",
    "require_parts",
    "settings_of",
]

OPTION_GROUP = "fauxlab", "fauxlab: defaults of the mocks; a test's marker wins over them"
# settings of a server, and secrets
NOT_OFFERED = {"host", "port", "public_url", "keys", "admin_token", "ready_file", "log_format"}
FILES = ("document", "rules")  # paths; in the ini file they begin at its folder
DOCUMENT = "OpenAPI document that the mocks serve (default: the bundled one)"
STRICT_RULES = "fail a test that gave its mock a rule which never acted, instead of saying so"
OF_PYTEST = ("allow_hosts", "strict_rules")  # no settings of the mock
ALLOW_HOSTS = "hosts that may be reached although a mock is active, such as postgres:5432"
SET_FOR_ALL = {
    "fauxlab_module": "the module's pytestmark, an option or the ini file",
    "fauxlab_session": "an option or the ini file",
}
_CHOSEN: pytest.StashKey[dict[str, Any]] = pytest.StashKey()  # of a run: setting -> value
_DOCUMENTS: pytest.StashKey[dict[str | None, Document]] = pytest.StashKey()  # of a run, read once


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer each setting that makes sense in a test as an option and as an ini key."""
    group = parser.getgroup(*OPTION_GROUP)
    group.addoption("--fauxlab-document", metavar="FILE", help=DOCUMENT)
    group.addoption("--fauxlab-allow-hosts", metavar="HOST,…", help=ALLOW_HOSTS)
    group.addoption("--fauxlab-strict-rules", action="store_true", default=None, help=STRICT_RULES)
    parser.addini("fauxlab_strict_rules", STRICT_RULES, type="bool", default=False)
    parser.addini("fauxlab_document", DOCUMENT, default=None)
    parser.addini("fauxlab_allow_hosts", ALLOW_HOSTS, type="args", default=None)
    for option in _offered():
        explained = option.metadata["help"]
        group.addoption(_flag(option.name), metavar=option.metadata["metavar"], help=explained)
        parser.addini(f"fauxlab_{option.name}", explained, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and read the options and the ini file once."""
    config.addinivalue_line(
        "markers",
        "fauxlab(**settings): give this test a mock (in process, unless it names a fixture) with"
        " settings such as scenario, validation, eta, and allow_hosts, strict_rules",
    )
    config.stash[_DOCUMENTS] = {}
    config.stash[_CHOSEN] = chosen = {}
    by_name = {option.name: option for option in _offered()}
    for name in ("document", *OF_PYTEST, *by_name):
        source, value = _given(config, name)
        if value is None:
            continue
        try:
            chosen[name] = read_option(by_name[name], value, source) if name in by_name else value
            if name == "allow_hosts":
                _check_hosts(value, source)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None


def _offered() -> list[Field[Any]]:
    return [option for option in options() if option.name not in NOT_OFFERED]


@lru_cache(maxsize=1)
def _known() -> list[str]:
    return ["document", *OF_PYTEST, *(option.name for option in options())]


def _flag(name: str) -> str:
    return f"--fauxlab-{name.replace('_', '-')}"


def _given(config: pytest.Config, name: str) -> tuple[str, Any]:
    """Return (where a setting is given, its value): an option, else the ini file, else None."""
    flag, key = _flag(name), f"fauxlab_{name}"
    value = config.getoption(flag)
    if value is not None:
        return flag, value
    value = ini_value(config, key)
    if value is not None and name in FILES and config.inipath is not None:
        value = str(config.inipath.parent / Path(value))
    return key, value


def ini_value(config: pytest.Config, key: str) -> Any:
    """Return the value of a key of the ini file; UsageError for one that is not what it takes."""
    try:
        return config.getini(key)
    except (TypeError, ValueError, pytest.UsageError) as error:
        hint = "; write true or false" if "truth" in str(error) else ""
        raise pytest.UsageError(f"the ini key {key}: {error}{hint}") from None


def settings_of(node: pytest.Item | pytest.Collector) -> Settings:
    """Return the settings of the mock of a test, a module or a run.

    The clock is `auto` by default, and `manual` with `fauxlab_time`: there pauses count. A mistake
    in a marker fails the test with one line.
    """
    from fauxlab_mock.settings import Settings

    wanted = {name: value for name, value in _wanted(node).items() if name not in OF_PYTEST}
    clock = "manual" if "fauxlab_time" in getattr(node, "fixturenames", ()) else "auto"
    try:
        return Settings(**{"clock": clock, **wanted})
    except (TypeError, ValueError) as error:
        fail(f"the marker fauxlab: {error}")


def is_clock_chosen(node: pytest.Item | pytest.Collector) -> bool:
    """Return True if a marker, an option or the ini file says which clock a mock has."""
    return "clock" in _wanted(node)


def is_strict_about_rules(node: pytest.Item | pytest.Collector) -> bool:
    """Return True if a rule that never acted fails a test."""
    return bool(_wanted(node).get("strict_rules"))


def allowed_hosts_of(node: pytest.Item | pytest.Collector) -> list[str]:
    """Return the hosts that a test allows."""
    hosts = _wanted(node).get("allow_hosts", ())
    try:
        return _check_hosts(hosts, "allow_hosts")
    except ValueError as error:
        fail(f"the marker fauxlab: {error}")


def _check_hosts(hosts: Any, source: str) -> list[str]:
    """Return the list of hosts, also of one text; ValueError for what is no host."""
    from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts

    AllowedHosts(hosts, source=source)
    return [hosts] if isinstance(hosts, str) else [*hosts]


def document_of(node: pytest.Item | pytest.Collector, path: str | None = None) -> Document:
    """Return the document at `path`, by default that of the test's mock."""
    from fauxlab_contract.openapi.document import load_document

    path = path or _wanted(node).get("document")
    documents = node.config.stash[_DOCUMENTS]
    if path not in documents:
        try:
            documents[path] = load_document(path)
        except ValueError as error:
            fail(str(error))
    return documents[path]


def _wanted(node: pytest.Item | pytest.Collector) -> dict[str, Any]:
    """Return the settings of ini file, options and markers; the closest marker wins."""
    marked: dict[str, Any] = {}
    for marker in reversed([*node.iter_markers("fauxlab")]):  # the closest comes last
        if marker.args:
            fail("the marker fauxlab takes settings by name, such as fauxlab(scenario='failed')")
        marked |= marker.kwargs
    for name in marked:
        if name not in _known():
            fail(f"the marker fauxlab has no setting {name}; {did_you_mean(name, _known())}")
    chosen: dict[str, Any] = node.config.stash[_CHOSEN]
    return {**chosen, **marked}


def check_is_read(item: pytest.Item, fixture: str) -> None:
    """Fail a test whose own marker, or its class's, says what a mock that it shares cannot follow.

    A module's marker may be for the module's other tests.
    """
    _wanted(item)  # fails for a misspelt setting
    module = item.getparent(pytest.Module)
    above = module.listchain() if module is not None else []
    for node, marker in item.iter_markers_with_node("fauxlab"):
        if marker.kwargs and node not in above:
            whose = "test" if node is item else type(node).__name__.lower()
            fail(
                f"the marker fauxlab of a {whose} cannot set {', '.join(marker.kwargs)} of"
                f" {fixture}, which other tests share: use the fixture fauxlab, or set it for all"
                f" of them by {SET_FOR_ALL[fixture]}"
            )


def fail(message: str) -> NoReturn:
    """End a test with one line, without a traceback."""
    raise pytest.fail.Exception(message, pytrace=False) from None


def require_parts(request: pytest.FixtureRequest, *modules: str) -> None:
    """End a test with one line if a package is missing that its fixture needs."""
    try:
        require(f"the fixture {request.fixturename}", modules)
    except ModuleNotFoundError as error:
        fail(str(error))
