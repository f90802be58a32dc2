"""The rules of the audit: what may be wrong with a document, how bad it is, why it matters, and
what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["RULES", "Defect", "Defects", "Rule", "Severity"]

Severity = Literal["error", "warning", "note"]


class Defect(NamedTuple):
    """One place that breaks a rule. `pointer` leads into the document; `place` is where it shows,
    if that is elsewhere.
    """

    rule: str
    pointer: str
    message: str
    place: str = ""


Defects = Iterator[Defect]


@dataclass(frozen=True, slots=True)
class Rule:
    """`error`: nobody can keep the document to the letter; `warning`: it can be kept and still
    surprises; `note`: good to know.
    """

    id: str
    severity: Severity
    summary: str
    why: str
    advice: str


RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "sample-number-as-text",
            "error",
            "A sample request sends a number as text.",
            "Strict validators refuse it, although published requests and their replies show that"
            " the live API reads the number.",
            "Send numbers without quotes. fauxlab refuses the text with --validation strict and"
            " reads the number with --validation coerce.",
        ),
        Rule(
            "sample-null-for-required",
            "error",
            "A sample request sends null for a required field.",
            "The schema demands a value; the live API takes null as absent, and an absent seed"
            " becomes a random one.",
            "Send a value. fauxlab refuses null with --validation strict; with coerce null is"
            " absent, and an absent seed is drawn.",
        ),
        Rule(
            "sample-null",
            "error",
            "A sample request sends null for a field that takes none.",
            "The schema does not allow null; the live API takes it as absent.",
            "Leave the field out. fauxlab refuses null with --validation strict and takes it as"
            " absent with --validation coerce.",
        ),
        Rule(
            "sample-violation",
            "error",
            "A sample breaks the document in another way.",
            "Whoever copies it is refused, or whoever reads such a reply by the document fails.",
            "Correct the sample or the document: one of the two is wrong.",
        ),
        Rule(
            "sample-not-placed",
            "warning",
            "A sample fits no operation.",
            "No request or reply declares anything in it, so it was not judged.",
            "Name the operation with --operation PATH, or leave the sample out.",
        ),
        Rule(
            "sample-undeclared",
            "note",
            "A sample sends fields that the document does not declare.",
            "Nothing checks them; the live API ignores unknown fields, and so does fauxlab.",
            "Declare the field if it does something, or leave it out.",
        ),
        Rule(
            "invalid-example",
            "error",
            "An example breaks its own schema.",
            "Whoever copies it is refused, and mocks that answer with it lie.",
            "Correct the example or the schema.",
        ),
        Rule(
            "invalid-default",
            "error",
            "A default breaks its own schema.",
            "Whoever fills the default in makes an invalid body.",
            "Correct the default or the schema.",
        ),
        Rule(
            "impossible-bounds",
            "error",
            "Bounds contradict each other.",
            "No value can keep them, so the field can never be sent.",
            "Correct the bounds.",
        ),
        Rule(
            "impossible-enum",
            "error",
            "An enum lists a value that its own schema forbids.",
            "Whoever picks that value is refused.",
            "Take the value out, or allow it by type and bounds.",
        ),
        Rule(
            "required-impossible",
            "error",
            "A required field is neither declared nor allowed.",
            "additionalProperties: false forbids what required demands: no body is valid.",
            "Declare the field.",
        ),
        Rule(
            "status-word-twice",
            "error",
            "Two branches of a reply share a status word.",
            "A body with that word fits both, and oneOf takes exactly one: it can never be valid.",
            "Give each branch its own word, or merge the two.",
        ),
        Rule(
            "path-parameter",
            "error",
            "Path and declared path parameters differ.",
            "OpenAPI wants each of them on both sides; generators refuse the document, and nobody"
            " knows the value's type.",
            "Declare each {name} of the path as a parameter with in: path and required: true, and"
            " no other.",
        ),
        Rule(
            "duplicate-operation-id",
            "error",
            "Two operations have the same operationId.",
            "It must be unique: generators overwrite one function with the other.",
            "Rename one of them.",
        ),
        Rule(
            "required-undeclared",
            "warning",
            "A required field is not declared.",
            "It must be sent, and nothing says what it may hold.",
            "Declare the field, or correct its name in required.",
        ),
        Rule(
            "branches-overlap",
            "warning",
            "A body fits several branches of a oneOf.",
            "oneOf takes exactly one, so the body is refused, with a message that names no field.",
            "Let each branch require what tells it apart (in replies: status), or write anyOf.",
        ),
        Rule(
            "reply-slips-through",
            "warning",
            "A wrong reply passes because it fits a branch that does not know the field.",
            "A validator that takes the document alone lets broken servers through.",
            "Require status in each branch. fauxlab always does, and judges a reply by the branch"
            " that its status names.",
        ),
        Rule(
            "branch-requires-nothing",
            "warning",
            "A reply, or a branch of one, requires no member.",
            "Its status alone, or not even that, is a whole answer: clients that read an id or a"
            " link may find none.",
            "List in required what every answer has; for fauxlab alone, as x-fauxlab: {required:"
            " […]} beside the branch.",
        ),
        Rule(
            "status-not-required",
            "warning",
            "The status that tells replies apart is not required.",
            "A reply without it is valid, and no client can tell what it means.",
            "Put status into required.",
        ),
        Rule(
            "no-lower-limit",
            "warning",
            "A number is limited above and not below, or a size may be zero.",
            "0 and negative numbers keep the document, and it says nowhere what they do.",
            "Add a minimum. fauxlab takes such values, and draws a picture without a size at 1"
            " pixel.",
        ),
        Rule(
            "nullable-without-effect",
            "warning",
            "nullable means nothing here.",
            "Readers believe that null is allowed; validators refuse it.",
            "In OpenAPI 3.1 write type: [..., 'null']; in 3.0 put nullable beside a type.",
        ),
        Rule(
            "keyword-without-effect",
            "warning",
            "A keyword does not apply to the type beside it.",
            "Readers believe in a limit that no validator enforces.",
            "Use the keyword of that type (maxLength for text, maximum for numbers, …), or correct"
            " the type.",
        ),
        Rule(
            "no-server",
            "warning",
            "No server is named, or none with a host.",
            "Clients cannot tell where the API lives.",
            "Name the full address in servers.",
        ),
        Rule(
            "no-reply-schema",
            "warning",
            "No 2xx reply has a JSON schema.",
            "Nothing can be checked; fauxlab answers with an empty object.",
            "Describe the reply.",
        ),
        Rule(
            "unchecked-sibling",
            "note",
            "A branch does not check the fields of its sibling branches.",
            "A reply with the right status may carry another branch's field with a wrong type, and"
            " passes.",
            "Nothing, if clients read only their branch's fields. fauxlab checks such fields"
            " against the other branches.",
        ),
        Rule(
            "type-changes",
            "note",
            "A field has different types in different replies.",
            "Clients with typed models fail at the other one.",
            "Read the status first, then the field.",
        ),
        Rule(
            "unchecked-format",
            "note",
            "A format that nobody checks.",
            "Any text passes; fauxlab checks only uri and uuid.",
            "Add a pattern if the form matters.",
        ),
        Rule(
            "unchecked-part",
            "note",
            "A part of the document that fauxlab does not check.",
            "Security schemes, parameters outside the path and bodies that are not JSON are taken"
            " as they come.",
            "Test that part by other means.",
        ),
        Rule(
            "unused-schema",
            "note",
            "A schema that no operation uses.",
            "It is dead, or an operation forgot to name it.",
            "Use it or take it out.",
        ),
    )
}
