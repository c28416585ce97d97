# SPDX-License-Identifier: Apache-2.0
"""A context compiled once: terms of the wire to internal names and back, by look-up (CIM 009 clause 4.4, 5.5.5)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from citybrain.kernel.ld.terms import CORE_OBJECT, KEYWORDS, InvalidContext, Terms
from citybrain.kernel.records import Json

CORE_URL = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.9.jsonld"
DEFAULT_VOCAB: str = CORE_OBJECT["@vocab"]
_REMEMBERED = 20_000


def _core() -> Terms:
    terms = Terms()
    terms.apply(CORE_OBJECT)
    return terms


_CORE_TERMS = _core()
_CORE_IRIS: dict[str, str] = {name: str(term.iri) for name, term in _CORE_TERMS.by_name.items()}
_CORE_NAMES: dict[str, str] = {
    **{iri: name for name, iri in _CORE_IRIS.items() if not _CORE_TERMS.by_name[name].is_prefix},
    **{keyword: keyword for keyword in KEYWORDS if keyword not in ("@id", "@type")},
}


def internal(iri: str) -> str:
    """The internal name of an IRI: the term itself for those of the core and the default context, else the IRI."""
    known = _CORE_NAMES.get(iri)
    if known is not None:
        return known
    if iri.startswith(DEFAULT_VOCAB):
        term = iri[len(DEFAULT_VOCAB) :]
        if term and ":" not in term and term not in _CORE_IRIS and not term.startswith("@"):
            return term
    return iri


def full_iri(name: str) -> str:
    """The IRI of an internal name; the opposite of `internal`."""
    if name in _CORE_IRIS:
        return _CORE_IRIS[name]
    return name if ":" in name or name.startswith("@") else DEFAULT_VOCAB + name


class Context:
    """One @context with the core context applied last, so that no user's term can change a core term (clause 4.4).

    `url` is what a Link header of an answer names, `json` what goes into a body's "@context". `when_named` is called
    when somebody asks for the URL: what was named must be there when it is fetched.
    """

    def __init__(self, *, url: str, json: Json, objects: Sequence[Mapping[str, Any] | None] = ()) -> None:
        """Compile context objects in their order, None standing for a JSON null. Refuses an `InvalidContext`."""
        self._url = url
        self.json = json
        self.when_named: Callable[[], None] | None = None
        terms = Terms()
        for given in objects:
            if given is None:
                terms.forget()
            else:
                _check_unscoped(given)
                terms.apply(given)
        user = {name: term for name, term in terms.by_name.items() if name not in _CORE_TERMS.by_name}
        terms.by_name = {**user, **_CORE_TERMS.by_name}
        terms.vocab = DEFAULT_VOCAB
        self._terms = terms
        self._expanded: dict[str, str] = {}
        self._compacted: dict[str, str] = {}
        self._shortest, self._prefixes = _ways_back(terms)

    @property
    def url(self) -> str:
        """Where this context is to be had."""
        if self.when_named is not None:
            self.when_named()
        return self._url

    def expand(self, term: str) -> str:
        """The internal name of an attribute's term, compact IRI or IRI."""
        name = self._expanded.get(term)
        if name is None:
            if len(self._expanded) >= _REMEMBERED:
                self._expanded.clear()
            name = self._expanded[term] = internal(self._terms.expand(term))
        return name

    def expand_type(self, term: str) -> str:
        """The internal name of a type, or of a word of a vocabulary."""
        return self.expand(term)

    def compact(self, name: str) -> str:
        """The shortest way to write an internal name of an attribute in this context."""
        term = self._compacted.get(name)
        if term is None:
            if len(self._compacted) >= _REMEMBERED:
                self._compacted.clear()
            term = self._compacted[name] = name if name in _CORE_IRIS else self._compact(full_iri(name))
        return term

    def compact_type(self, name: str) -> str:
        """The shortest way to write a type, or a word of a vocabulary, in this context."""
        return self.compact(name)

    def iri(self, name: str) -> str:
        """The full IRI of an internal name."""
        return full_iri(name)

    def __repr__(self) -> str:
        return f"Context({self._url})"

    def _compact(self, iri: str) -> str:
        """JSON-LD 1.1 API, section 6.2.2: a term, else below the vocabulary, else a compact IRI, else the IRI."""
        term = self._shortest.get(iri)
        if term is not None:
            return term
        if iri.startswith(DEFAULT_VOCAB):
            rest = iri[len(DEFAULT_VOCAB) :]
            if rest and rest not in self._terms.by_name and self._terms.expand(rest) == iri:
                return rest
        tries = [f"{prefix}:{iri[len(start) :]}" for start, prefix in self._prefixes if iri.startswith(start)]
        usable = [text for text in tries if self._means(text, iri)]
        return min(usable, key=lambda text: (len(text), text)) if usable else iri

    def _means(self, text: str, iri: str) -> bool:
        return not text.endswith(":") and self._terms.expand(text) == iri


def _check_unscoped(given: Mapping[str, Any]) -> None:
    """Clause 5.5.7: a user's context has no scoped contexts; those that a copy of the core context has are passed."""
    for name, definition in given.items():
        if isinstance(definition, Mapping) and "@context" in definition and name not in _CORE_TERMS.by_name:
            raise InvalidContext("kernel.context_invalid", {"where": name, "why": "scoped"})


def _ways_back(terms: Terms) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """For each IRI its shortest term (of two by the alphabet), and the prefixes with what they stand for."""
    shortest: dict[str, str] = {}
    prefixes: list[tuple[str, str]] = []
    for name in sorted(terms.by_name, key=lambda name: (len(name), name)):
        term = terms.by_name[name]
        if term.iri is None or term.is_reverse:
            continue
        shortest.setdefault(term.iri, name)
        if term.is_prefix:
            prefixes.append((term.iri, name))
    return shortest, prefixes


CORE = Context(url=CORE_URL, json=CORE_URL)
