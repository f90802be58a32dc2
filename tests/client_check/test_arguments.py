"""What `check_client` demands of a client's arguments, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from client_mutants.drivers import make_of
from client_mutants.plain import Plain
from documents import altered, request_schema
from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.demands.arguments import Arguments, arguments_of

BUNDLED = load_document()
OPERATION = next(operation for operation in BUNDLED.operations if operation.kind == "submit")


def told(generate: Callable[[Callable[..., Any]], Callable[..., Any]], **options: Any) -> Any:
    """(rule, severity, field) of each finding about a client that hands its arguments on."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        return generate(make_of(Unchecked, "requests")(base_url, key))

    report = check_client(make, trials=["arguments"], **options)
    return [(one.rule, one.severity, one.field) for one in report.findings]


class Unchecked(Plain):
    """Sends whatever it is given."""

    def check(self, body: Mapping[str, Any]) -> None:
        pass


def test_a_bad_argument_that_is_handed_on_is_a_note() -> None:
    """It is the caller's, one finding names all fields, and `assert_ok` passes."""
    found = told(
        lambda call: (
            lambda prompt, face_image, seed, width=512: call(
                prompt=prompt, face_image=face_image, seed=seed, width=width
            )
        )
    )

    assert found == [("bad-argument-sent", "note", "prompt, face_image, seed, width")]


def test_values_of_other_types_than_the_annotation_are_not_tried() -> None:
    """A type checker finds such callers; bounds are tried all the same."""

    def annotated(call: Callable[..., Any]) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int, width: int = 512) -> Any:
            return call(prompt=prompt, face_image=face_image, seed=seed, width=width)

        return generate

    assert [told(annotated), told(annotated, wrong_types=True)] == [
        [("bad-argument-sent", "note", "width")],
        [("bad-argument-sent", "note", "prompt, face_image, seed, width")],
    ]


def with_change(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Any:
    return lambda call: lambda **fields: call(**change(fields))


@pytest.mark.parametrize(
    "change, lost",
    [
        (lambda fields: {**fields, "prompt": fields["prompt"][:77]}, "prompt"),
        (lambda fields: {**fields, "prompt": quote(fields["prompt"])}, "prompt"),
        (lambda fields: {**fields, "webhook": "http://127.0.0.1:9/ours"}, "webhook"),
        (lambda fields: {k: v for k, v in fields.items() if k != "face_image"}, "face_image"),
        (lambda fields: {**fields, "prompt": f"a photo of {fields['prompt']}, sharp"}, ""),
        (lambda fields: {**fields, "guidance_scale": fields.get("guidance_scale", 5)}, ""),
    ],
)
def test_what_was_given_arrives_whole(
    change: Callable[[dict[str, Any]], Mapping[str, Any]], lost: str
) -> None:
    """Long texts, texts beyond ASCII and webhooks too; more words around a prompt are fine."""

    def changed(call: Callable[..., Any]) -> Callable[..., Any]:
        def generate(
            prompt: str, face_image: str, seed: int, webhook: str = "", **more: Any
        ) -> Any:
            fields = {"prompt": prompt, "face_image": face_image, "seed": seed, **more}
            return call(**change({**fields, "webhook": webhook} if webhook else fields))

        return generate

    found = [field for rule, _, field in told(changed) if rule == "argument-lost"]

    assert found == ([lost] if lost else [])


def test_a_number_may_lose_its_last_bit() -> None:
    """One that went through a text of fifteen digits is the same."""

    def rounded(call: Callable[..., Any]) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int, guidance_scale: float = 5) -> Any:
            scale = float(f"{guidance_scale:.14g}")
            return call(prompt=prompt, face_image=face_image, seed=seed, guidance_scale=scale)

        return generate

    assert [one for one in told(rounded) if one[0] != "bad-argument-sent"] == []


def test_a_value_that_is_dropped_is_told_as_missing() -> None:
    """What is falsy is dropped most often; the finding does not say that nothing was sent."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        call = make_of(Unchecked, "requests")(base_url, key)

        def generate(prompt: str, face_image: str, seed: int, samples: int = 1) -> Any:
            more = {"samples": samples} if samples else {}
            return call(prompt=prompt, face_image=face_image, seed=seed, **more)

        return generate

    document = altered(
        lambda tree: request_schema(tree)["properties"].update(
            samples={"type": "integer", "minimum": 0, "maximum": 4}
        )
    )
    messages = [
        one.message
        for one in check_client(make, trials=["arguments"], document=document).findings
        if one.rule == "argument-lost"
    ]
    assert messages == [
        "samples was given as 0, and the request did not have it. Leave out None alone,"
        " not all that is falsy."
    ]


def test_a_member_of_a_bad_argument_is_the_callers_too() -> None:
    """It is a note, however deep in the argument the bad value is."""
    document = altered(
        lambda tree: request_schema(tree)["properties"].update(
            extra={
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["size"],
                    "properties": {"size": {"type": "integer", "minimum": 1}},
                },
            }
        )
    )

    def handing_on(call: Callable[..., Any]) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int, extra: Any = ()) -> Any:
            return call(
                prompt=prompt,
                face_image=face_image,
                seed=seed,
                **({"extra": extra} if extra else {}),
            )

        return generate

    found = told(handing_on, document=document)

    assert [(rule, severity) for rule, severity, _ in found] == [("bad-argument-sent", "note")]


def arguments(document: Document, call: Callable[..., Any]) -> Arguments:
    submit = next(operation for operation in document.operations if operation.kind == "submit")
    return arguments_of(submit, call, None, None)


def taking_all(**fields: Any) -> None:
    """A client that takes every field."""


def test_addresses_about_which_libraries_differ_are_not_tried() -> None:
    """To refuse and to send a link-local host or half an address is right."""
    values = {
        case.value
        for case in arguments(BUNDLED, taking_all).cases()
        if case.field == "webhook" and isinstance(case.value, str)
    }

    assert {"", "hook", "ftp://example.com/hook"} <= values
    assert {"http://169.254.169.254/hook", "http://[", "//example.com/hook"} & values == set()


def test_one_call_has_a_plain_value_of_every_field() -> None:
    """Each of them is allowed, and none is a bound."""
    given = arguments(BUNDLED, taking_all).every_field()

    declared = OPERATION.request.properties if OPERATION.request else {}
    assert given.keys() == declared.keys() - {"key"}
    assert [name for name in given if not declared[name].validator.is_valid(given[name])] == []
    assert (given["width"], given["prompt"]) == (1023, "studio portrait")


@pytest.mark.parametrize(
    "schema, pair",
    [
        ({"type": "integer"}, [11, 22]),
        ({"type": "integer", "minimum": 0, "maximum": 9}, [8, 1]),
        ({"type": "integer", "enum": [5, 6]}, [5, 6]),
    ],
)
def test_the_seeds_of_two_calls_are_those_that_the_document_allows(
    schema: Mapping[str, Any], pair: list[int]
) -> None:
    """Two seeds that it forbids would be refused, and called mixed up."""
    document = altered(lambda tree: request_schema(tree)["properties"].update(seed=schema))

    wishes = arguments(document, taking_all).two_wishes()

    assert [wish["seed"] for wish in wishes] == pair
