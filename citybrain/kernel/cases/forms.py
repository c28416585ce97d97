# SPDX-License-Identifier: Apache-2.0
"""Forms as JSON Schema (draft 2020-12): which parts apply, what was filled in where, and what does not fit. Pure.

A form is evaluated here whatever a browser said. Its own words beside JSON Schema: `x-title` of a property is its name
by language, `x-help` what to know before, `x-hint` what to do when it does not fit, `x-purpose` of the whole form what
the data are for, and `x-personal` of a property what makes it personal data (see `personal`).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.form_formats import FORMATS
from citybrain.kernel.cases.form_problems import Problem, problem_of
from citybrain.kernel.cases.refusals import FieldsRefused
from citybrain.kernel.records import Facts, Json

VALUES_BYTES = 256 * 1024
VALUES_DEPTH = 8
VALUES_COUNT = 4_000
PROBLEMS_SHOWN = 50
ROUNDS = 200  # more parts that hide each other than this no form has

Path = tuple[str | int, ...]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What remains of the values of a form, the paths that were dropped with their hidden parts, and what is wrong."""

    values: Facts
    dropped: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def judge(form: Json, values: Json, *, partial: bool = False) -> Judged:
    """Evaluate a form: values of parts that do not apply are dropped and told, the rest is checked.

    With `partial`, as for a draft, what is missing is no problem yet. Values that are too large or too deep are not
    looked into further.
    """
    size = _too_much(values)
    if size or not isinstance(values, dict):
        return Judged(values={}, problems=(size or Problem(code="kernel.form_not_an_object", facts={"field": ""}),))
    kept, dropped = _without_hidden(form, values)
    found: list[Problem] = []
    for error in _validator(_frozen(form)).iter_errors(kept):
        for problem in problem_of(form, kept, error):
            if not (partial and problem.is_missing) and problem not in found:
                found.append(problem)
    unknown = [Problem.of("kernel.form_field_unknown", form, path) for path in _unknown(form, kept)]
    return Judged(values=kept, dropped=tuple(dropped), problems=(*found, *unknown)[:PROBLEMS_SHOWN])


def read_form(form: Json, values: Json, *, of: str = "") -> Judged:
    """Evaluate a form that must fit; refuses `FieldsRefused` with every problem, each naming its field in zh and en.

    `of` is what the form belongs to.
    """
    judged = judge(form, values)
    if judged.problems:
        problems = [{"code": each.code, "facts": dict(each.facts)} for each in judged.problems]
        fields = {lang: _enumerated(judged.problems, lang) for lang in ("zh", "en")}
        raise FieldsRefused("kernel.case_fields_refused", {"type": of, "fields": fields, "problems": problems})
    return judged


def check_fields(type: CaseType, fields: Facts) -> Facts:
    """The fields of a case as they are to be kept, by the form of its type; refuses `FieldsRefused`."""
    return read_form(type.form, dict(fields), of=type.id).values if type.form else fields


def _enumerated(problems: Sequence[Problem], lang: str) -> str:
    names = dict.fromkeys(problem.name(lang) for problem in problems)
    return {"zh": "、", "en": ", "}[lang].join(names)


def _too_much(values: Json) -> Problem | None:
    """Counted before anything else is done with them, and without recursion."""
    count, level = 0, [values]
    for _ in range(VALUES_DEPTH + 1):
        below: list[Json] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        count += len(below)
        if count > VALUES_COUNT:
            return Problem(code="kernel.form_too_many_values", facts={"field": "", "limit": VALUES_COUNT})
        level = below
        if not level:
            break
    else:
        return Problem(code="kernel.form_too_deep", facts={"field": "", "limit": VALUES_DEPTH})
    if len(msgspec.json.encode(values)) > VALUES_BYTES:
        return Problem(code="kernel.form_too_large", facts={"field": "", "limit_kib": VALUES_BYTES // 1024})
    return None


def _frozen(schema: Json) -> bytes:
    return msgspec.json.encode(schema)


@lru_cache(maxsize=2_000)
def _validator(schema: bytes) -> Validator:
    validator: Validator = Draft202012Validator(msgspec.json.decode(schema), format_checker=FORMATS)
    return validator


def applying(root: Json, schema: Json, value: Json) -> Iterator[Facts]:
    """The schemas whose parts apply to a value: itself and those its conditions lead to.

    Of `anyOf` and `oneOf` those apply that the value fits; of `if` the branch; of `dependentSchemas` what is there.
    """
    if not isinstance(schema, dict):
        return
    schema = _followed(root, schema)
    yield schema
    chosen: list[Json] = list(schema.get("allOf", ()))
    if "if" in schema:
        chosen.append(schema.get("then" if _fits(root, schema["if"], value) else "else"))
    chosen += [each for word in ("anyOf", "oneOf") for each in schema.get(word, ()) if _fits(root, each, value)]
    if isinstance(value, dict):
        chosen += [each for name, each in schema.get("dependentSchemas", {}).items() if name in value]
    for each in chosen:
        yield from applying(root, each, value)


def _followed(root: Json, schema: Facts) -> Facts:
    """A schema with what its `$ref` names beside its own words; only places in the form itself are named."""
    seen: set[str] = set()
    while isinstance(schema.get("$ref"), str) and schema["$ref"] not in seen:
        seen.add(schema["$ref"])
        target = root
        for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if step else target
        rest = {name: each for name, each in schema.items() if name != "$ref"}
        schema = {**target, **rest}
    return schema


def _fits(root: Json, schema: Json, value: Json) -> bool:
    if isinstance(schema, dict) and "$defs" in root:
        schema = {**schema, "$defs": root["$defs"]}
    return bool(_validator(_frozen(schema)).is_valid(value))


def _without_hidden(form: Json, values: Facts) -> tuple[Facts, list[str]]:
    """Drop what no applying part asks for until nothing more goes: what is hidden may hide more."""
    dropped: list[str] = []
    for _ in range(ROUNDS):
        kept, gone = _kept(form, form, values, ())
        dropped += [_spelled(path) for path in gone]
        values = kept
        if not gone:
            break
    return values, dropped


def _kept(root: Json, schema: Json, value: Json, at: Path) -> tuple[Json, list[Path]]:
    if isinstance(value, list):
        items = [each["items"] for each in applying(root, schema, value) if "items" in each]
        return _rebuilt_list(root, items[0], value, at) if items else (value, [])
    if not isinstance(value, dict):
        return value, []
    shown = _properties(root, schema, value)
    known = _all_properties(root, schema)
    kept: dict[str, Json] = {}
    gone: list[Path] = []
    for name, each in value.items():
        if name in known and name not in shown:
            gone.append((*at, name))
            continue
        kept[name], below = _kept(root, shown.get(name, {}), each, (*at, name))
        gone += below
    return kept, gone


def _rebuilt_list(root: Json, schema: Json, value: list[Json], at: Path) -> tuple[Json, list[Path]]:
    pairs = [_kept(root, schema, each, (*at, index)) for index, each in enumerate(value)]
    return [each for each, _ in pairs], [path for _, paths in pairs for path in paths]


def _properties(root: Json, schema: Json, value: Json) -> dict[str, Json]:
    """The properties that applying parts ask for; `true` in a later part does not take away what an earlier says."""
    found: dict[str, Json] = {}
    for part in applying(root, schema, value):
        for name, each in part.get("properties", {}).items():
            found[name] = {**_plain(found.get(name)), **_plain(each)}
    return found


def _plain(schema: Json) -> Facts:
    return schema if isinstance(schema, dict) else {}


def _all_properties(root: Json, schema: Json, *, depth: int = 0) -> dict[str, Json]:
    """The properties of all parts, applying or not. Conditions themselves ask for nothing."""
    if not isinstance(schema, dict) or depth > VALUES_DEPTH * 4:
        return {}
    schema = _followed(root, schema)
    below = [schema.get("then"), schema.get("else"), *schema.get("dependentSchemas", {}).values()]
    below += [each for word in ("allOf", "anyOf", "oneOf") for each in schema.get(word, ())]
    found: dict[str, Json] = {}
    for part in below:
        found.update(_all_properties(root, part, depth=depth + 1))
    return {**found, **schema.get("properties", {})}


def fields_of(form: Json) -> Mapping[str, Json]:
    """Every field the form has in any of its parts, with its schema, by name."""
    return _all_properties(form, form)


def _unknown(form: Json, values: Facts) -> list[Path]:
    """Values that no part of the form knows at all. A form without any property takes everything."""
    known = fields_of(form)
    return [(name,) for name in values if name not in known] if known else []


def _spelled(path: Path) -> str:
    return ".".join(str(step) for step in path)
