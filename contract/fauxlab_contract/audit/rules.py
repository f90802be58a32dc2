"""The rules of the audit: what can be wrong with a document, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fauxlab_contract.core.rules import Rule, table_of

__all__ = ["RULES", "Defect", "Defects"]


class Defect(NamedTuple):
    """One place that breaks a rule.

    `pointer` leads into the document; `place` says where the defect shows, if that is elsewhere,
    and `name` which field below the pointer it is about.
    """

    rule: str
    pointer: str
    message: str
    place: str = ""
    name: str = ""


Defects = Iterator[Defect]

RULES = table_of(
    Rule(
        "sample-number-as-text",
        "error",
        "A sample request sends a number as text.",
        why="Strict validators refuse it. Published requests and their replies show that the live"
        " API reads the number.",
        advice="Send numbers without quotes. fauxlab refuses the text with --validation strict and"
        " reads the number with --validation coerce.",
    ),
    Rule(
        "sample-null-for-required",
        "error",
        "A sample request sends null for a required field.",
        why="The schema demands a value. The live API treats null as a missing field, and chooses a"
        " random seed if the seed is missing.",
        advice="Send a value. fauxlab refuses null with --validation strict; with coerce it treats"
        " null as a missing field, and draws a missing seed.",
    ),
    Rule(
        "sample-null",
        "error",
        "A sample request sends null for a field that does not allow it.",
        why="The schema does not allow null. The live API treats it as a missing field.",
        advice="Leave the field out. fauxlab refuses null with --validation strict, and treats it"
        " as a missing field with --validation coerce.",
    ),
    Rule(
        "sample-violation",
        "error",
        "A sample breaks the document in another way.",
        why="Clients that copy the sample are refused; clients that read such a reply by the"
        " document fail.",
        advice="Correct the sample or the document: one of them is wrong.",
    ),
    Rule(
        "sample-not-placed",
        "warning",
        "A sample fits no operation.",
        why="No request or reply declares any of its members, so it was not judged.",
        advice="Name the operation with --operation PATH, or remove the sample.",
    ),
    Rule(
        "sample-undeclared",
        "note",
        "A sample sends fields that the document does not declare.",
        why="Nothing checks these fields: the live API and fauxlab ignore unknown fields.",
        advice="Declare the field if it has an effect; otherwise leave it out.",
    ),
    Rule(
        "invalid-example",
        "error",
        "An example breaks its own schema.",
        why="Clients that copy it are refused, and mocks that answer with it give invalid replies.",
        advice="Correct the example or the schema.",
    ),
    Rule(
        "invalid-default",
        "error",
        "A default breaks its own schema.",
        why="A client that fills in the default sends an invalid body.",
        advice="Correct the default or the schema.",
    ),
    Rule(
        "invalid-keyword",
        "error",
        "A keyword of a schema has a value that JSON Schema does not allow.",
        why="fauxlab leaves this keyword out; other tools refuse the whole document.",
        advice="Correct the value: a number without quotes, a list with one schema at least.",
    ),
    Rule(
        "unknown-keyword",
        "warning",
        "A schema has a keyword that JSON Schema does not know.",
        why="JSON Schema treats it as a remark, so it demands nothing. Often it is misspelt, or"
        " slipped beside the schema that it belongs to.",
        advice="Correct it, or prefix it with x- if it is an extension.",
    ),
    Rule(
        "impossible-bounds",
        "error",
        "Bounds, types or listed values contradict each other.",
        why="No value fits them, so the field can never be sent.",
        advice="Correct the bounds.",
    ),
    Rule(
        "impossible-enum",
        "error",
        "An enum lists a value that its own schema forbids.",
        why="A client that sends this value is refused.",
        advice="Remove the value, or allow it by type and bounds.",
    ),
    Rule(
        "required-impossible",
        "error",
        "A required field is neither declared nor allowed.",
        why="additionalProperties: false forbids what required demands: no body is valid.",
        advice="Declare the field.",
    ),
    Rule(
        "status-word-twice",
        "error",
        "Two branches of a reply share a status word.",
        why="A body with this word fits both branches, and oneOf allows exactly one: it can never"
        " be valid.",
        advice="Give each branch its own word, or merge the two branches.",
    ),
    Rule(
        "path-parameter",
        "error",
        "The parameters in the path differ from the declared ones.",
        why="OpenAPI wants each parameter on both sides. Code generators refuse the document, and"
        " the type of the value is unknown.",
        advice="Declare each {name} of the path as a parameter with in: path and required: true,"
        " and declare no others.",
    ),
    Rule(
        "duplicate-operation-id",
        "error",
        "Two operations have the same operationId.",
        why="The id must be unique: code generators overwrite one function with the other.",
        advice="Rename one of them.",
    ),
    Rule(
        "required-undeclared",
        "warning",
        "A required field is not declared.",
        why="Clients must send it, and nothing says which values are allowed.",
        advice="Declare the field, or correct its name in required.",
    ),
    Rule(
        "branches-overlap",
        "warning",
        "A body fits several branches of a oneOf.",
        why="oneOf allows exactly one branch, so the body is refused, with a message that names no"
        " field.",
        advice="Let each branch require the field that tells it apart (in replies: status), or use"
        " anyOf.",
    ),
    Rule(
        "reply-slips-through",
        "warning",
        "A wrong reply passes because it fits a branch that does not know the field.",
        why="A validator that knows only the document accepts the replies of a broken server.",
        advice="Require status in each branch. fauxlab always does, and judges a reply by the"
        " branch that its status names.",
    ),
    Rule(
        "branch-requires-nothing",
        "warning",
        "A reply, or one of its branches, requires no member.",
        why="A reply with a status alone, or without any member, is valid: clients that read an id"
        " or a link may not find one.",
        advice="List in required what every reply has. To tell only fauxlab, write x-fauxlab:"
        " {required: […]} beside the branch.",
    ),
    Rule(
        "status-not-required",
        "warning",
        "The status that tells replies apart is not required.",
        why="A reply without it is valid, and no client can tell what it means.",
        advice="Add status to required.",
    ),
    Rule(
        "no-lower-limit",
        "warning",
        "A number has an upper limit but no lower one, or a size may be zero.",
        why="The document allows 0 and negative numbers, and does not say what they do.",
        advice="Add a minimum. fauxlab accepts such values, and makes a picture without a size 1"
        " pixel wide and high.",
    ),
    Rule(
        "nullable-without-effect",
        "warning",
        "nullable has no effect here.",
        why="Readers believe that null is allowed; validators refuse it.",
        advice="In OpenAPI 3.1 write type: [..., 'null']; in 3.0 put nullable beside a type.",
    ),
    Rule(
        "keyword-without-effect",
        "warning",
        "A keyword does not apply to the type beside it.",
        why="Readers believe in a limit that no validator enforces.",
        advice="Use the keyword for this type (maxLength for text, maximum for numbers, …), or"
        " correct the type.",
    ),
    Rule(
        "no-server",
        "warning",
        "The document names no server with a host.",
        why="Clients cannot tell at which address the API is.",
        advice="Write the full address in servers.",
    ),
    Rule(
        "no-reply-schema",
        "warning",
        "No 2xx reply has a JSON schema.",
        why="Replies cannot be checked; fauxlab answers with an empty object.",
        advice="Describe the reply.",
    ),
    Rule(
        "no-fetch",
        "warning",
        "An operation can say processing, and no operation fetches its jobs.",
        why="A client that is told to wait can never ask for the result.",
        advice="Describe the fetch: an operation whose path ends with /fetch/{id}, and whose reply"
        " can say processing and success.",
    ),
    Rule(
        "fetch-without-submit",
        "note",
        "A fetch has no submit whose jobs it could tell of.",
        why="The operation that starts these jobs is missing, or its reply cannot say both"
        " processing and success.",
        advice="Describe the submit, or the missing branches of its reply.",
    ),
    Rule(
        "fetch-not-recognized",
        "note",
        "Jobs are not followed from a submit to its fetch.",
        why="fauxlab serves and checks lifecycles only where it knows submit and fetch: by a path"
        " that ends with /fetch/{id}, and by replies that can say processing and success.",
        advice="Change nothing if clients know where to ask. Otherwise name the path so, and list"
        " both words in both replies.",
    ),
    Rule(
        "unchecked-sibling",
        "note",
        "A branch does not check the fields of its sibling branches.",
        why="A reply with the right status is valid even if it has another branch's field with a"
        " wrong type.",
        advice="Change nothing if clients read only the fields of their branch. fauxlab checks such"
        " fields against the other branches.",
    ),
    Rule(
        "type-changes",
        "note",
        "A field has different types in different replies.",
        why="Clients with typed models fail when they get the other type.",
        advice="Read the status first, then the field.",
    ),
    Rule(
        "unchecked-format",
        "note",
        "A format is not checked.",
        why="Every text is valid; fauxlab checks only uri and uuid.",
        advice="Add a pattern if the form of the text matters.",
    ),
    Rule(
        "unchecked-part",
        "note",
        "fauxlab does not check a part of the document.",
        why="Security schemes, parameters outside the path and bodies that are not JSON are"
        " accepted unchecked.",
        advice="Test this part by other means.",
    ),
    Rule(
        "lost-reference",
        "error",
        "A $ref leads to nothing, or out of the document.",
        why="Nobody can read what should stand there: tools refuse the document, or leave it out.",
        advice="Correct the reference, or copy what it names to here.",
    ),
    Rule(
        "lost-name",
        "warning",
        "x-fauxlab names a field or a word that no schema has.",
        why="Nothing plays the role then: the mock never says it, and no judge looks at it.",
        advice="Write the name as the schemas do, or leave the role out.",
    ),
    Rule(
        "unused-schema",
        "note",
        "No operation uses a schema.",
        why="The schema is dead, or an operation forgot to refer to it.",
        advice="Use it or remove it.",
    ),
)
