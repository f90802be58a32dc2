"""Settings from environment and flags."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fauxlab_mock.settings import (
    Limits,
    Settings,
    from_environment,
    options,
    read_option,
    unknown_names,
)

RULES = Path(__file__).resolve().parents[2] / "examples" / "rules.yaml"
GOOD = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("0", 0),
    "public_url": ("http://mock.test:4010/", "http://mock.test:4010"),
    "validation": ("coerce", "coerce"),
    "errors": ("status", "status"),
    "clock": ("auto", "auto"),
    "eta": ("0.5", 0.5),
    "polls": ("3", 3),
    "scenario": ("failed", "failed"),
    "seed": ("-7", -7),
    "keys": ("a, b,", frozenset({"a", "b"})),
    "queue_limit": ("5", 5),
    "queue_mode": ("sequential", "sequential"),
    "credits": ("3", 3),
    "refunds": ("on", "on"),
    "webhooks": ("a.example,b", "a.example,b"),
    "rules": (str(RULES), str(RULES)),
    "admin_token": ("secret-token", "secret-token"),
    "ready_file": ("/tmp/ready", "/tmp/ready"),
    "log_format": ("json", "json"),
    "limits": ("jobs=5,body_bytes=10", Limits(jobs=5, body_bytes=10)),
}
BAD = {
    "port": ["65536", "-1", "x", " "],
    "public_url": ["ftp://x", "mock", "http://", "http://h:99999", "http://h/?q"],
    "validation": ["STRICT", " "],
    "errors": ["both"],
    "clock": ["fast"],
    "eta": ["-1", "86401", "nan", "soon"],
    "polls": ["-1", "1001", "1.5"],
    "scenario": ["nonsense"],
    "seed": ["x", str(2**63)],
    "keys": [" , ", "@/nonexistent"],
    "queue_limit": ["-1", "10001"],
    "queue_mode": ["fifo"],
    "credits": ["-1", "1.5"],
    "refunds": ["yes"],
    "webhooks": ["a b", "http://x/", "-a", "on", "app,true", "lopback", "none"],
    "rules": ["/nonexistent", __file__],
    "admin_token": ["short", "with spaces in it", "\xe4\xf6\xfc-long-enough"],
    "log_format": ["xml"],
    "limits": ["jobs", "jobs=0", "nothing=1", "jobs=-1", ","],
}


def test_every_option_has_a_case_here() -> None:
    """No option is forgotten in the tables above."""
    assert [option.name for option in options()] == list(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_good_values_are_read_from_the_environment(name: str) -> None:
    """Each option can be set by its FAUXLAB_ variable."""
    text, value = GOOD[name]

    assert from_environment({f"FAUXLAB_{name.upper()}": text, "OTHER": "x"}) == {name: value}


@pytest.mark.parametrize("name", GOOD)
def test_an_empty_variable_is_like_one_that_is_not_set(name: str) -> None:
    """The matrix of a CI leaves variables empty."""
    assert from_environment({f"FAUXLAB_{name.upper()}": ""}) == {}


@pytest.mark.parametrize(
    "name, text", [(name, text) for name, texts in BAD.items() for text in texts]
)
def test_bad_values_name_the_variable_and_the_rule(name: str, text: str) -> None:
    """A bad value is refused with the variable's name and what it must be."""
    with pytest.raises(ValueError, match=rf"^FAUXLAB_{name.upper()} (must|cannot|names)"):
        from_environment({f"FAUXLAB_{name.upper()}": text})


@pytest.mark.parametrize(
    "text, said",
    [
        ("jobs=-1", "limits must give jobs a whole number from 1, not 'jobs=-1'"),
        ("jobs=5,body_bytes=x", "limits must give body_bytes a whole number from 1, not 'jobs=5"),
        ("jbos=1", "limits cannot be 'jbos=1'; did you mean jobs?"),
        ("jobs", "limits must be NAME=NUMBER, such as jobs=500, not 'jobs'"),
    ],
)
def test_a_bad_limit_says_which_and_why(text: str, said: str) -> None:
    """The message names the limit that is wrong, and what it must be."""
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        Settings(limits=text)  # type: ignore[arg-type] # as from a marker


def test_keys_can_come_from_a_file(tmp_path: Path) -> None:
    """@FILE holds one key a line."""
    file = tmp_path / "keys"
    file.write_text("first\n\nsecond\n")
    option = next(option for option in options() if option.name == "keys")

    assert read_option(option, f"@{file}", "--keys") == frozenset({"first", "second"})


def test_a_file_of_keys_is_read_up_to_a_limit(tmp_path: Path) -> None:
    """A file that holds something else, however large, is refused; no end of it is waited for."""
    file = tmp_path / "keys"
    file.write_text("k\n" * 500_001)
    option = next(option for option in options() if option.name == "keys")

    for path in (file, "/dev/zero"):
        with pytest.raises(ValueError, match=r"^--keys must name a file of at most 1000000 bytes"):
            read_option(option, f"@{path}", "--keys")


def test_keys_show_neither_in_repr_nor_in_errors() -> None:
    """A key is a secret in the settings too."""
    option = next(option for option in options() if option.name == "keys")

    with pytest.raises(ValueError) as caught:  # noqa: PT011 # the text is what is tested
        read_option(option, "@secret-key", "--keys")

    assert "secret-key" not in repr(Settings(keys=frozenset({"secret-key"}))) + str(caught.value)


def test_misspelt_variables_are_noticed() -> None:
    """A FAUXLAB_ variable that is no option is named."""
    assert unknown_names({"FAUXLAB_PROT": "1", "FAUXLAB_PORT": "1", "PORT": "1"}) == [
        "FAUXLAB_PROT"
    ]


def test_the_defaults_are_those_of_the_design() -> None:
    """Without any setting the mock is strict, on loopback, on the real clock, with an eta of five
    seconds.
    """
    assert Settings() == Settings(
        document=None,
        host="127.0.0.1",
        port=4010,
        public_url=None,
        validation="strict",
        errors="envelope",
        clock="real",
        eta=5.0,
        polls=0,
        scenario="success",
        seed=0,
        keys=frozenset(),
        ready_file=None,
        log_format="text",
        limits=Limits(),
    )


@pytest.mark.parametrize(
    "values",
    [
        {"validation": "coerse"},
        {"errors": "stauts"},
        {"clock": "atuo"},
        {"eta": -1},
        {"eta": float("nan")},
        {"keys": "one-text"},
        {"port": -1},
    ],
)
def test_settings_made_in_python_keep_the_same_rules(values: dict[str, Any]) -> None:
    """A misspelt or impossible value raises at once, naming the field, in fixtures and `serve()` as
    on the command line.
    """
    with pytest.raises(ValueError, match=rf"^{next(iter(values))} (must|cannot) be"):
        Settings(**values)
