# SPDX-License-Identifier: Apache-2.0
"""Which forms may be used: not too large, no places elsewhere, no trap for the matcher, no more than needed."""

from collections.abc import Iterator, Sequence

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.privacy.field import PersonalField, excess, personal
from citybrain.kernel.records import Facts, Json

FORM_BYTES = 256 * 1024
FORM_DEPTH = 40
PATTERN_LENGTH = 200
REPEATS = "*+{"

Found = tuple[str, Facts]


class FormExceeds(Invalid):
    """A form asks for personal data that its purpose does not need; the facts name the fields."""


def form_faults(form: Json, declared: Sequence[PersonalField] = ()) -> list[Found]:
    """All that is wrong with a form beyond its being a JSON Schema, each as a code with facts."""
    if not isinstance(form, dict) or not form:
        return []
    size = len(msgspec.json.encode(form))
    if size > FORM_BYTES:
        return [("kernel.form_definition_too_large", {"limit_kib": FORM_BYTES // 1024})]
    if _depth(form) > FORM_DEPTH:
        return [("kernel.form_definition_too_deep", {"limit": FORM_DEPTH})]
    return [*_parts(form, form, "$"), *_beyond_purpose(form, declared)]


def check_purpose(form: Json, declared: Sequence[PersonalField]) -> None:
    """Refuse `FormExceeds` when a form asks for what its purpose (`x-purpose`) does not need."""
    for code, facts in _beyond_purpose(form, declared):
        raise FormExceeds(code, facts)


def _beyond_purpose(form: Json, declared: Sequence[PersonalField]) -> Iterator[Found]:
    purpose = form.get("x-purpose", "")
    if personal(form) and not purpose:
        yield "kernel.form_without_purpose", {"fields": ", ".join(sorted(personal(form)))}
        return
    for name in excess(form, purpose, declared):
        yield "kernel.form_exceeds_purpose", {"field": name, "purpose": purpose}


def _depth(schema: Json) -> int:
    """Counted without recursion: a form that is too deep must not be followed."""
    level, depth = [schema], 0
    while level and depth <= FORM_DEPTH:
        depth += 1
        level = [below for each in level for below in _below(each)]
    return depth


def _below(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _parts(form: Json, schema: Json, at: str) -> Iterator[Found]:
    if isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from _parts(form, each, f"{at}[{index}]")
    if not isinstance(schema, dict):
        return
    ref = schema.get("$ref")
    if isinstance(ref, str) and not _is_there(form, ref):
        yield "kernel.form_ref_elsewhere", {"where": at, "ref": ref}
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (len(pattern) > PATTERN_LENGTH or explodes(pattern)):
        yield "kernel.form_pattern_unsafe", {"where": at, "pattern": pattern[:PATTERN_LENGTH]}
    for name, each in schema.items():
        yield from _parts(form, each, f"{at}.{name}")


def _is_there(form: Json, ref: str) -> bool:
    """Whether a `$ref` names a place in the form itself."""
    if not ref.startswith("#/"):
        return False
    target = form
    for step in ref[2:].split("/"):
        target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
    return isinstance(target, dict)


def explodes(pattern: str) -> bool:
    """Whether matching may take time that doubles with each character: a repeated group that itself repeats or chooses.

    Stricter than need be, so that no proof is needed: such patterns can be written without.
    """
    groups = [False]
    closed = False  # whether a group just ended that repeats or chooses
    for sign in _signs(pattern):
        if sign in REPEATS and closed:
            return True
        closed = False
        if sign == "(":
            groups.append(False)
        elif sign == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] |= closed
        elif sign in f"{REPEATS}|":
            groups[-1] = True
    return False


def _signs(pattern: str) -> Iterator[str]:
    """The signs of a pattern one by one, without those that stand for themselves."""
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            position = _after_class(pattern, position)
            yield "["
            continue
        if pattern[position] == "\\":
            position += 1
            yield "\\"
        else:
            yield pattern[position]
        position += 1


def _after_class(pattern: str, position: int) -> int:
    """Where a set of characters ends."""
    position += 2 if pattern[position + 1 : position + 2] == "^" else 1
    position += pattern[position : position + 1] == "]"
    while position < len(pattern) and pattern[position] != "]":
        position += 2 if pattern[position] == "\\" else 1
    return position + 1
