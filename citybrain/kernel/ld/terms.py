# SPDX-License-Identifier: Apache-2.0
"""Term definitions of JSON-LD 1.1 contexts, as far as NGSI-LD uses them, and the terms of the core context."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

# fmt: off
KEYWORDS = frozenset([
    "@base", "@container", "@context", "@default", "@direction", "@graph", "@id", "@import", "@included", "@index",
    "@json", "@language", "@list", "@nest", "@none", "@prefix", "@propagate", "@protected", "@reverse", "@set", "@type",
    "@value", "@version", "@vocab",
])
# fmt: on
_ABOUT_THE_CONTEXT = frozenset(["@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version"])
_CONTAINERS = frozenset(["@graph", "@id", "@index", "@language", "@list", "@set", "@type"])
_LIKE_A_KEYWORD = re.compile(r"@[A-Za-z]+")
_ENDS_A_PREFIX = tuple(":/?#[]@")


class InvalidContext(Invalid):
    """The given @context is not one that JSON-LD allows."""


class Term(msgspec.Struct, frozen=True):
    """What a context says of a term. `iri` is None for a term that is explicitly taken out of use."""

    iri: str | None
    is_prefix: bool = False
    is_reverse: bool = False
    type: str = ""


class Terms:
    """The active context of JSON-LD 1.1 (section 4.1): what each term means, and what stands before unknown ones."""

    def __init__(self) -> None:
        self.by_name: dict[str, Term] = {}
        self.vocab = ""

    def apply(self, local: Mapping[str, Json]) -> None:
        """Take in one context object; a later one overrides. Refuses what is no context, naming the term."""
        if "@vocab" in local:
            self.vocab = self._read_vocab(local["@vocab"])
        _Definition(self, local).all()

    def forget(self) -> None:
        """A null in a list of contexts: what came before it does not count."""
        self.by_name.clear()
        self.vocab = ""

    def expand(self, name: str, vocab: bool = True) -> str:
        """The IRI of a term, compact IRI or IRI (JSON-LD 1.1 API, section 5.2.2); a keyword stays itself."""
        if name in KEYWORDS:
            return name
        if vocab and (term := self.by_name.get(name)) and term.iri is not None:
            return term.iri
        split = name.find(":", 1)
        if split > 0:
            return self._expand_compact(name, split)
        return self.vocab + name if vocab else name

    def _expand_compact(self, name: str, split: int) -> str:
        prefix, rest = name[:split], name[split + 1 :]
        if prefix == "_" or rest.startswith("//"):
            return name
        term = self.by_name.get(prefix)
        return term.iri + rest if term and term.is_prefix and term.iri else name

    def _read_vocab(self, given: Json) -> str:
        if given is None:
            return ""
        if not isinstance(given, str):
            raise InvalidContext("kernel.context_invalid", {"where": "@vocab", "why": "vocab"})
        if given == "":
            return self.vocab
        return self.expand(given)


class _Definition:
    """One context object being read; definitions may refer to each other in any order, but not in a circle."""

    def __init__(self, terms: Terms, local: Mapping[str, Json]) -> None:
        self._terms = terms
        self._local = local
        self._done: dict[str, bool] = {}

    def all(self) -> None:
        for name in self._local:
            if name != "@vocab" and name not in _ABOUT_THE_CONTEXT:
                self._define(name)

    def _define(self, name: str) -> None:
        if name in self._done:
            if not self._done[name]:
                raise _refuse(name, "circle")
            return
        if name == "" or (name in KEYWORDS and name != "@type"):
            raise _refuse(name, "keyword")
        if _LIKE_A_KEYWORD.fullmatch(name):
            self._done[name] = True
            return
        self._done[name] = False
        given = self._local[name]
        self._terms.by_name.pop(name, None)
        self._terms.by_name[name] = self._read(name, {"@id": given} if not isinstance(given, Mapping) else given)
        self._done[name] = True

    def _read(self, name: str, given: Mapping[str, Json]) -> Term:
        simple = not isinstance(self._local[name], Mapping)
        if "@reverse" in given:
            return Term(self._iri(name, given["@reverse"]), is_reverse=True)
        iri = self._own_iri(name) if given.get("@id", name) == name else self._iri(name, given["@id"])
        ends_well = bool(iri) and (str(iri).endswith(_ENDS_A_PREFIX) or str(iri).startswith("_:"))
        is_prefix = ends_well and simple and ":" not in name and "/" not in name
        if "@prefix" in given:
            is_prefix = _flag(name, given["@prefix"])
        _check_container(name, given.get("@container"))
        return Term(iri, is_prefix=is_prefix and iri not in KEYWORDS, type=self._type(name, given.get("@type")))

    def _own_iri(self, name: str) -> str:
        """The IRI of a term whose definition gives none: it is a compact IRI, an IRI, or below the vocabulary."""
        split = name.find(":", 1)
        if split > 0:
            self._need(name[:split])
            prefix = self._terms.by_name.get(name[:split])
            return f"{prefix.iri}{name[split + 1 :]}" if prefix and prefix.iri else name
        if "/" in name:
            return name
        if not self._terms.vocab:
            raise _refuse(name, "iri")
        return self._terms.vocab + name

    def _iri(self, name: str, given: Json) -> str | None:
        if given is None:
            return None
        if not isinstance(given, str):
            raise _refuse(name, "iri")
        if given == "@context" or (given not in KEYWORDS and _LIKE_A_KEYWORD.fullmatch(given)):
            raise _refuse(name, "keyword")
        self._need(given)
        split = given.find(":", 1)
        if split > 0:
            self._need(given[:split])
        iri = self._terms.expand(given)
        if iri not in KEYWORDS and ":" not in iri:
            raise _refuse(name, "iri")
        return iri

    def _type(self, name: str, given: Json) -> str:
        if given is None:
            return ""
        if not isinstance(given, str):
            raise _refuse(name, "type")
        self._need(given)
        return self._terms.expand(given)

    def _need(self, name: str) -> None:
        if name in self._local and name not in KEYWORDS:
            self._define(name)


def _check_container(name: str, given: Json) -> None:
    containers = given if isinstance(given, list) else [given]
    for container in containers:
        if container is not None and container not in _CONTAINERS:
            raise _refuse(name, "container")


def _flag(name: str, given: Json) -> bool:
    if not isinstance(given, bool):
        raise _refuse(name, "prefix")
    return given


def _refuse(name: str, why: str) -> InvalidContext:
    return InvalidContext("kernel.context_invalid", {"where": name, "why": why})


def _core_object() -> dict[str, Any]:
    """The core context of NGSI-LD 1.9 (CIM 009 annex B) as one JSON-LD object, from our table of its terms."""
    table = msgspec.json.decode((Path(__file__).parent / "core-terms.json").read_bytes())
    iris = dict(table["renamed"])
    for prefix, names in table["plain"].items():
        iris.update({name: f"{prefix}:{name}" for name in names})
    defined: dict[str, Any] = {name: iris[name] for name in sorted(iris)}
    for keyword in ("type", "container"):
        for value, names in table[keyword].items():
            for name in names:
                known = defined[name] if isinstance(defined[name], dict) else {"@id": defined[name]}
                defined[name] = {**known, f"@{keyword}": value}
    for name, scope in table["scoped"].items():
        defined[name] = {"@id": defined[name], "@context": scope}
    head = {"@version": 1.1, "@protected": True, **table["prefixes"], **table["keywords"]}
    return {**head, **defined, "@vocab": table["vocab"]}


CORE_OBJECT: dict[str, Any] = _core_object()
"""The core context as JSON-LD; a fresh reader of ours needs no network for it."""
