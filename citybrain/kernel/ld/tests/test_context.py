# SPDX-License-Identifier: Apache-2.0
"""A compiled context: names in, names out."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from citybrain.kernel.ld.context import CORE, CORE_URL, DEFAULT_VOCAB, Context, full_iri, internal
from citybrain.kernel.ld.terms import CORE_OBJECT, InvalidContext, Terms

BUS = {
    "ex": "https://example.org/",
    "bus": "ex:bus#",
    "Bus": "bus:Bus",
    "speed": {"@id": "ex:speed", "@type": "@vocab"},
    "stops": {"@id": "ex:stops", "@container": ["@set", "@index"]},
    "ident": "@id",
    "location": "ex:whereabouts",
    "Kilometre": {"@id": "https://qudt.org/vocab/unit/KiloM"},
    "longer": "ex:one",
    "short": "ex:one",
    "gone": None,
}
# fmt: off
NAMES = [
    ("speed",                        "https://example.org/speed",         "a term given as an object"),
    ("stops",                        "https://example.org/stops",         "a term with containers"),
    ("Bus",                          "https://example.org/bus#Bus",       "a compact IRI by a prefix by a prefix"),
    ("bus:Driver",                   "https://example.org/bus#Driver",    "a compact IRI that is no term"),
    ("ident",                        "id",                                "an alias of a keyword"),
    ("@type",                        "type",                              "a keyword"),
    ("location",                     "location",                          "a core term stays what it is"),
    ("title",                        "title",                             "a core term of another vocabulary"),
    ("colour",                       "colour",                            "an unknown term is of the default context"),
    ("gone",                         "gone",                              "a term out of use is as good as unknown"),
    ("urn:x:y",                      "urn:x:y",                           "an IRI without a known prefix"),
    ("https://example.org/speed",    "https://example.org/speed",         "an IRI"),
    (DEFAULT_VOCAB + "colour",       "colour",                            "an IRI of the default context"),
    ("ngsi-ld:default-context/x",    "x",                                 "a compact IRI of the default context"),
    ("https://uri.etsi.org/ngsi-ld/location", "location",                 "the IRI of a core term"),
    (DEFAULT_VOCAB + "location",     DEFAULT_VOCAB + "location",          "not the core term of the same name"),
    ("Kilometre:x",                  "Kilometre:x",                       "a term given as an object is no prefix"),
]
# fmt: on


def context_of(*objects: dict[str, Any] | None) -> Context:
    return Context(url="https://example.org/context", json=None, objects=objects)


@pytest.mark.parametrize(("said", "kept", "why"), NAMES)
def test_a_name_of_the_wire_becomes_an_internal_name(said: str, kept: str, why: str) -> None:
    assert context_of(BUS).expand(said) == kept, why
    assert context_of(BUS).expand_type(said) == kept, why


# fmt: off
SHORTEST = [
    ("https://example.org/speed",      "speed",                     "a term"),
    ("https://example.org/one",        "short",                     "of two terms the shorter"),
    ("https://example.org/bus#Driver", "bus:Driver",                "the shorter of two prefixes"),
    ("https://elsewhere.org/x",        "https://elsewhere.org/x",   "nothing fits"),
    ("https://example.org/",           "ex",                        "the prefix itself"),
    ("colour",                         "colour",                    "the default context"),
    ("speed",                          "ngsi-ld:default-context/speed", "the term is taken by another meaning"),
    ("location",                       "location",                  "a core term"),
    ("id",                             "id",                        "a core alias, though the context has another"),
]
# fmt: on


@pytest.mark.parametrize(("kept", "told", "why"), SHORTEST)
def test_an_internal_name_is_told_in_the_shortest_way(kept: str, told: str, why: str) -> None:
    assert context_of(BUS).compact(kept) == told, why
    assert context_of(BUS).compact_type(kept) == told, why


def test_the_name_taken_in_by_one_context_is_told_by_another() -> None:
    name = context_of({"velocity": "https://example.org/speed"}).expand("velocity")
    assert context_of(BUS).compact(name) == "speed"
    assert CORE.compact(name) == "https://example.org/speed"


def test_every_core_term_is_its_own_name_and_knows_its_iri() -> None:
    for term, given_ in CORE_OBJECT.items():
        if not term.startswith("@"):
            assert CORE.compact(CORE.expand(term)) == CORE.expand(term) or term in ("ngsi-ld", "geojson")
            assert internal(full_iri(term)) == term or term in ("ngsi-ld", "geojson"), given_
    assert CORE.iri("value") == "https://uri.etsi.org/ngsi-ld/hasValue"
    assert CORE.iri("containedBy") == "https://uri.etsi.org/ngsi-ld/isContainedBy"
    assert CORE.iri("Polygon") == "https://purl.org/geojson/vocab#Polygon"
    assert (CORE.url, CORE.json) == (CORE_URL, CORE_URL)


def test_core_terms_and_the_default_vocabulary_cannot_be_overridden() -> None:
    context = context_of({"@vocab": "https://evil.example/", "value": "https://evil.example/value", "own": "ngsi-ld:o"})
    assert context.expand("value") == "value"
    assert context.expand("unknown") == "unknown"
    assert context.iri("unknown") == DEFAULT_VOCAB + "unknown"


def test_a_vocabulary_counts_inside_the_context_that_has_it() -> None:
    context = context_of({"@vocab": "https://example.org/", "speed": {"@type": "@id"}, "Bus": "Coach"})
    assert context.expand("speed") == "https://example.org/speed"
    assert context.expand("Bus") == "https://example.org/Coach"


def test_a_later_context_overrides_and_a_null_forgets() -> None:
    first, second = {"a": "https://one.org/a", "b": "https://one.org/b"}, {"a": "https://two.org/a"}
    assert context_of(first, second).expand("a") == "https://two.org/a"
    assert context_of(first, second).expand("b") == "https://one.org/b"
    assert context_of(first, None, second).expand("b") == "b"


# fmt: off
INVALID = [
    ({"a": "b:c", "b": "a:c"},                      "a", "a circle"),
    ({"a": 7},                                      "a", "neither text nor object"),
    ({"a": {"@id": 7}},                             "a", "an IRI that is a number"),
    ({"a": {"@type": "@id"}},                       "a", "no IRI, and nothing to make one of"),
    ({"a": "@context"},                             "a", "an alias of @context"),
    ({"a": {"@id": "urn:a", "@container": "@bag"}}, "a", "an unknown container"),
    ({"a": {"@id": "urn:a", "@type": 3}},           "a", "a type that is a number"),
    ({"a": {"@id": "urn:a", "@prefix": "yes"}},     "a", "a flag that is none"),
    ({"@id": "urn:a"},                              "@id", "a keyword redefined"),
    ({"": "urn:a"},                                 "",  "an empty term"),
    ({"@vocab": 7},                                 "@vocab", "a vocabulary that is a number"),
]
# fmt: on


@pytest.mark.parametrize(("given_", "where", "why"), INVALID)
def test_what_is_no_context_is_refused_with_its_place(given_: dict[str, Any], where: str, why: str) -> None:
    with pytest.raises(InvalidContext) as refused:
        context_of(given_)
    assert refused.value.facts["where"] in (where, "b"), why


def test_who_asks_for_the_url_of_a_context_names_it() -> None:
    context, named = context_of(BUS), []
    context.when_named = lambda: named.append("once")
    context.expand("speed")
    assert named == []
    assert context.url == "https://example.org/context"
    assert named == ["once"]


terms = st.text("abcdefgXYZ09_-", min_size=1, max_size=6)
iris = st.builds(
    lambda host, rest: f"https://{host}.org/{rest}", st.sampled_from(["a", "b"]), st.text("abcxyz/#", max_size=6)
)


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, Any]:
    """Contexts with prefixes, simple and full definitions, and compact IRIs over the prefixes."""
    prefixes = draw(st.dictionaries(st.text("pqrs", min_size=1, max_size=3), iris.map(lambda iri: f"{iri}/")))
    targets = iris if not prefixes else iris | st.builds("{}:{}".format, st.sampled_from(sorted(prefixes)), terms)
    kinds = st.sampled_from(["@id", "@vocab", "https://a.org/type"])
    full = st.builds(lambda iri, kind: {"@id": iri, "@type": kind}, targets, kinds)
    return {**draw(st.dictionaries(terms, targets | full, max_size=8)), **prefixes}


@settings(max_examples=300)
@given(contexts(), st.data())
def test_what_a_context_tells_it_also_understands(given_: dict[str, Any], data: st.DataObject) -> None:
    context = context_of(given_)
    names = terms | iris | st.sampled_from([*given_, "location", "value", "urn:a:b"])
    name = context.expand(data.draw(names))
    assert context.expand(context.compact(name)) == name
    assert internal(context.iri(name)) == name


@settings(max_examples=300)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["@id", "a:b"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text(max_size=5) | st.sampled_from(["@id", "@type", "@container", "@vocab", "@reverse"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_as_a_context_is_taken_or_refused(given_: Any) -> None:
    if isinstance(given_, dict):
        try:
            context = context_of(given_)
        except InvalidContext:
            return
        assert context.expand("value") == "value"


def test_the_oracle_understands_terms_and_types_as_we_do() -> None:
    jsonld = pytest.importorskip("pyld.jsonld")
    processor = jsonld.JsonLdProcessor()
    options = {"base": "", "processingMode": "json-ld-1.1", "documentLoader": None}

    @settings(max_examples=400, deadline=None)
    @given(contexts(), st.data())
    def same(given_: dict[str, Any], data: st.DataObject) -> None:
        name = data.draw(terms | iris | st.sampled_from([*given_, "unknown"]))
        user = {term: value for term, value in given_.items() if term not in CORE_OBJECT}
        # The oracle gets the default vocabulary and the core terms as plain definitions, after the user's.
        core = {term: value for term, value in CORE_OBJECT.items() if term not in ("@protected", "ngsildproof")}
        active = processor.process_context(processor._get_initial_context(options), [user, core], options)
        theirs = processor._expand_iri(active, name, vocab=True, base="")
        assert context_of(user).iri(context_of(user).expand(name)) == theirs

    same()


def test_terms_alone_know_no_default_vocabulary() -> None:
    alone = Terms()
    alone.apply({"a": "https://a.org/"})
    assert alone.expand("b") == "b"
    assert alone.expand("a:b") == "https://a.org/b"
    assert alone.expand("b", vocab=False) == "b"


def test_the_oracle_tells_names_as_we_do() -> None:
    jsonld = pytest.importorskip("pyld.jsonld")
    processor = jsonld.JsonLdProcessor()
    options = {"base": "", "processingMode": "json-ld-1.1", "documentLoader": None}

    @settings(max_examples=300, deadline=None)
    @given(contexts(), st.data())
    def same(given_: dict[str, Any], data: st.DataObject) -> None:
        # Terms with a type are chosen by the value beside them, which we leave out of account.
        user = {term: iri for term, iri in given_.items() if term not in CORE_OBJECT and isinstance(iri, str)}
        core = {term: value for term, value in CORE_OBJECT.items() if term not in ("@protected", "ngsildproof")}
        active = processor.process_context(processor._get_initial_context(options), [user, core], options)
        name = context_of(user).expand(data.draw(terms | iris | st.sampled_from([*user, "unknown"])))
        theirs = processor._compact_iri(active, full_iri(name), vocab=True)
        # A prefix before `//` is read back as a scheme, which the oracle forgets; we then write the whole IRI.
        # So is a prefix `_`, as a blank node.
        assume(not any(theirs.startswith((f"{term}://", "_:")) for term in user))
        assert context_of(user).compact(name) == (name if name in CORE_OBJECT else theirs)

    same()


def test_a_context_within_a_term_is_refused_unless_it_is_of_the_core() -> None:
    scoped = {"Bus": {"@id": "https://example.org/Bus", "@context": {"speed": "https://example.org/hidden"}}}
    with pytest.raises(InvalidContext) as refusal:
        Context(url="", json="", objects=[scoped])
    assert refusal.value.facts == {"where": "Bus", "why": "scoped"}
    assert Context(url="", json="", objects=[CORE_OBJECT]).expand("speed") == "speed"
