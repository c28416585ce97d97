# SPDX-License-Identifier: Apache-2.0
"""What does not fit a form, as codes with facts that name the field in every language. Pure."""

from collections.abc import Iterator, Sequence

import msgspec
from jsonschema.exceptions import ValidationError

from citybrain.kernel.records import Facts, Json, Text

MISSING = "kernel.form_missing"
CHOICES_SHOWN = 20
TEXT_SHOWN = 80

# What is said for each word of JSON Schema, and the slot its own value goes into.
SAID = {
    "type": ("kernel.form_wrong_kind", "kind"),
    "enum": ("kernel.form_not_among", "choices"),
    "const": ("kernel.form_not_among", "choices"),
    "minLength": ("kernel.form_too_short", "limit"),
    "maxLength": ("kernel.form_too_long", "limit"),
    "minimum": ("kernel.form_too_small", "limit"),
    "exclusiveMinimum": ("kernel.form_too_small", "limit"),
    "maximum": ("kernel.form_too_big", "limit"),
    "exclusiveMaximum": ("kernel.form_too_big", "limit"),
    "multipleOf": ("kernel.form_not_a_multiple", "limit"),
    "minItems": ("kernel.form_too_few", "limit"),
    "maxItems": ("kernel.form_too_many", "limit"),
    "uniqueItems": ("kernel.form_twice", "limit"),
    "pattern": ("kernel.form_pattern", "pattern"),
    "format": ("kernel.form_format", "format"),
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not fit: the facts have `field`, its path, and `label`, its name by language."""

    code: str
    facts: Facts

    @classmethod
    def of(cls, code: str, form: Json, path: Sequence[str | int], **more: Json) -> "Problem":
        """A problem of the field at a path."""
        label = label_at(form, path)
        return cls(code=code, facts={"field": ".".join(map(str, path)), "label": label, **more})

    @property
    def is_missing(self) -> bool:
        """Whether something only has not been filled in yet."""
        return self.code == MISSING

    def name(self, lang: str) -> str:
        """What people call the field; the whole form has no name."""
        label = self.facts.get("label") or {}
        return label.get(lang) or self.facts.get("field") or {"zh": "表单", "en": "form"}[lang]


def problem_of(form: Json, values: Json, error: ValidationError) -> Iterator[Problem]:
    """What an error of the validator says to who filled the form in."""
    path = list(error.absolute_path)
    word = str(error.validator)
    if word in {"required", "dependentRequired"}:
        yield from (Problem.of(MISSING, form, [*path, name]) for name in _missing(error))
    elif word in {"allOf", "if", "then", "else", "dependentSchemas", "$ref"} and error.context:
        for each in error.context:
            yield from problem_of(form, values, each)
    elif word in SAID:
        code, slot = SAID[word]
        hint = error.schema.get("x-hint", "") if isinstance(error.schema, dict) else ""
        yield Problem.of(code, form, path, **{slot: _told(word, error.validator_value)}, hint=hint)
    else:
        yield Problem.of("kernel.form_unfitting", form, path, why=error.message[:TEXT_SHOWN], rule=word)


def _missing(error: ValidationError) -> list[str]:
    instance = error.instance if isinstance(error.instance, dict) else {}
    wanted = error.validator_value
    if isinstance(wanted, dict):  # dependentRequired: what comes with something that is there
        wanted = [name for given, names in wanted.items() if given in instance for name in names]
    # The validator tells one error per name; the name is the quoted word its message begins with.
    return [name for name in wanted if name not in instance and error.message.startswith(repr(name))]


def _told(word: str, value: Json) -> Json:
    if word == "const":
        return str(value)
    if word == "enum":
        return ", ".join(str(each) for each in value[:CHOICES_SHOWN])
    if word == "type":
        return value if isinstance(value, str) else ", ".join(value)
    return value


def label_at(form: Json, path: Sequence[str | int]) -> Text:
    """The name of a field by language: its `x-title`, else its `title`, else the name it has in the data."""
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return {}
    found = _find(form, names)
    plain = found.get("title", names[-1])
    title = found.get("x-title", {})
    return {lang: title.get(lang, plain) for lang in ("zh", "en")}


def _find(schema: Json, names: Sequence[str]) -> Facts:
    """The schema in which a field is named, in whatever part it stands; conditions that only test it say nothing."""
    if not isinstance(schema, dict):
        return {}
    if not names:
        return schema
    best: Facts = {}
    for part in _parts(schema):
        found = _find(part.get("properties", {}).get(names[0]), names[1:])
        if "x-title" in found or "title" in found:
            return found
        best = best or found
    return best


def _parts(schema: Json) -> Iterator[Facts]:
    if not isinstance(schema, dict):
        return
    yield schema
    below = [schema.get("then"), schema.get("else"), schema.get("items"), *schema.get("dependentSchemas", {}).values()]
    below += [each for word in ("allOf", "anyOf", "oneOf") for each in schema.get(word, ())]
    for part in below:
        yield from _parts(part)
