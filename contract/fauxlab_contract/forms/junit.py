"""A sheet as JUnit XML: a suite for each part of the judgement, a test for each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

from fauxlab_contract.core.rules import SEVERITIES
from fauxlab_contract.forms.printable import shown
from fauxlab_contract.forms.sheet import Sheet, Told, TriedStep
from fauxlab_contract.forms.text import facts_of

__all__ = ["junit"]

MAX_COMMAND_CHARS = 20_000


def junit(sheet: Sheet) -> str:
    """Return one suite for each part, with a test for each step, as XML.

    A step fails when it showed a finding as serious as `fails_at`; milder ones are its output. One
    that was left out was skipped, with the reason. What no step found is a test of its own.
    """
    root = ET.Element("testsuites", _xml(name=sheet.tool, time=f"{sheet.seconds:.3f}"))
    firsts = _first_steps(sheet)
    steps = [*sheet.steps, *_stepless(sheet, firsts)]
    for part in dict.fromkeys(step.part for step in steps):
        here = [step for step in steps if step.part == part]
        suite = ET.SubElement(root, "testsuite", _xml(name=part))
        for step in here:
            suite.append(_test(sheet, step, firsts))
        seconds = sum(step.seconds for step in here)
        suite.attrib.update(_xml(**_counts(suite), time=f"{seconds:.3f}"))
    root.attrib.update(_xml(**_counts(root)))
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml.decode() + "\n"


def _counts(element: ET.Element) -> Mapping[str, int]:
    kinds = {"tests": "testcase", "failures": "testcase/failure", "skipped": "testcase/skipped"}
    counts = {name: len(element.findall(f".//{path}")) for name, path in kinds.items()}
    return {**counts, "errors": 0}


def _first_steps(sheet: Sheet) -> dict[int, TriedStep]:
    """Return the first step that showed each finding."""
    firsts: dict[int, TriedStep] = {}
    for step in sheet.steps:
        for place in step.broke:
            firsts.setdefault(place, step)
    return firsts


def _stepless(sheet: Sheet, firsts: Mapping[int, TriedStep]) -> Iterator[TriedStep]:
    for place, told in enumerate(sheet.findings):
        if place not in firsts:
            yield TriedStep(told.part or sheet.tool, told.title or told.rule, broke=(place,))
    for sentence in sheet.left_out:
        part = sentence.partition(":")[0]
        is_part = any(step.part == part for step in sheet.steps)
        is_told = any(step.skipped and step.skipped in sentence for step in sheet.steps)
        if not is_told:
            name = f"{sheet.left_out_as}: {sentence}"
            yield TriedStep(part if is_part else sheet.left_out_as, name, skipped=sentence)


def _test(sheet: Sheet, step: TriedStep, firsts: Mapping[int, TriedStep]) -> ET.Element:
    classname = f"{sheet.tool} {step.part}".replace(" ", ".")
    named = _xml(classname=classname, name=step.name, time=f"{step.seconds:.3f}")
    if sheet.file:
        named |= _xml(file=sheet.file)
    test = ET.Element("testcase", named)
    failed = [place for place in step.broke if _fails(sheet, sheet.findings[place])]
    others = [place for place in step.broke if place not in failed]
    if failed:
        first = sheet.findings[failed[0]]
        failure = ET.SubElement(test, "failure", _xml(type=first.rule, message=first.message))
        failure.text = _texts(sheet, step, failed, firsts)
    elif step.skipped:
        ET.SubElement(test, "skipped", _xml(message=step.skipped))
    if others:
        ET.SubElement(test, "system-out").text = _texts(sheet, step, others, firsts)
    return test


def _fails(sheet: Sheet, told: Told) -> bool:
    return SEVERITIES.index(told.severity) <= SEVERITIES.index(sheet.fails_at)


def _texts(
    sheet: Sheet, step: TriedStep, places: Sequence[int], firsts: Mapping[int, TriedStep]
) -> str:
    """Return findings in words: whole at the first step that showed them, else with its name."""
    texts = []
    for place in places:
        first = firsts.get(place, step)
        seen_at = "" if first is step else first.name
        lines = _told(sheet.findings[place], seen_at)
        texts.append("\n".join(shown(line, MAX_COMMAND_CHARS) for line in lines))
    return "\n\n".join(texts)


def _told(told: Told, seen_at: str) -> Iterator[str]:
    yield f"{told.severity}: {told.rule}: {told.message}"
    if seen_at:
        yield f"as in {seen_at}"
        return
    for name, value in facts_of(told):
        yield f"{name}: {value}"
    if told.command:
        yield f"again: {told.command}"
    if told.times > 1:
        yield f"seen {told.times} times"


def _xml(**attributes: object) -> dict[str, str]:
    return {name: shown(str(value)) for name, value in attributes.items()}
