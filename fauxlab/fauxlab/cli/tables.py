"""`fauxlab scenarios` and `fauxlab document`: what is built in, to read or to pass on."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

from fauxlab.cli.command import UsageError, add_format, print_json
from fauxlab.cli.parser import Commands, add_command
from fauxlab_mock.behaviour.scenarios import SCENARIOS, Scenario

__all__ = ["add_document_command", "add_scenarios"]

# The heading of each group of scenarios, by what acts.
GROUPS = {
    "job": "The job: chosen at its submit, seen in its fetches",
    "links": "The links of the picture",
    "webhook": "The webhook of the job",
    "reply": "Every reply about the job",
    "submit": "Submits are refused",
    "fetch": "Fetches are answered otherwise",
    "call": "Every call is refused",
}
HOW = (
    "Choose one with the header `Prefer: scenario=NAME`, the API key `mock_NAME`, a rule, or"
    " `fauxlab serve --scenario NAME`. In the header and in a rule,"
    " `retry_after=5` is how long a refusal tells the client to wait."
)
WIDTH = 79


def add_scenarios(commands: Commands) -> None:
    """Add `fauxlab scenarios`."""
    parser = add_command(
        commands,
        "scenarios",
        _scenarios,
        "list the scenarios and how to choose one",
        example="scenarios --format json",
    )
    add_format(parser)


def _scenarios(parsed: argparse.Namespace) -> int:
    groups: dict[str, list[Scenario]] = {name: [] for name in GROUPS}
    for scenario in SCENARIOS.values():
        groups[_acts_on(scenario)].append(scenario)
    if parsed.format == "json":
        rows = [_row(scenario, name) for name, group in groups.items() for scenario in group]
        print_json({"scenarios": rows})
        return 0
    for name, group in groups.items():
        print(f"{GROUPS[name]}\n" + "\n".join(map(_lines, group)) + "\n")
    print("* breaks the contract, as the real API does or did")
    print(textwrap.fill(HOW, WIDTH, break_on_hyphens=False))
    return 0


def _acts_on(scenario: Scenario) -> str:
    """Return the name of a scenario's group."""
    if scenario.refusal is not None:
        return scenario.refuses[0] if len(scenario.refuses) == 1 else "call"
    if scenario.quirk is not None:
        return "reply"
    if "webhook" in scenario.plan:
        return "webhook"
    is_of_links = {"hidden_reads", "links_live_s"} & scenario.plan.keys()
    return "links" if is_of_links else "job"


def _row(scenario: Scenario, group: str) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "acts_on": group,
        "summary": scenario.summary,
        "breaks_contract": scenario.breaks_contract,
    }


def _lines(scenario: Scenario) -> str:
    width = max(map(len, SCENARIOS)) + 2
    name = scenario.name + (" *" if scenario.breaks_contract else "")
    start = f"  {name:{width}}  "
    return textwrap.fill(
        scenario.summary, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)
    )


def add_document_command(commands: Commands) -> None:
    """Add `fauxlab document`."""
    parser = add_command(
        commands,
        "document",
        _document,
        "print the bundled OpenAPI document",
        example="document -o openapi.yaml",
    )
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="write it into a file instead of standard output"
    )


def _document(parsed: argparse.Namespace) -> int:
    from fauxlab_contract.openapi.document import bundled_path

    text = bundled_path().read_text(encoding="utf-8")
    if parsed.output is None:
        sys.stdout.write(text)
        return 0
    try:
        Path(parsed.output).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{parsed.output} cannot be written: {reason}") from None
    return 0
