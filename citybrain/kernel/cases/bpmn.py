# SPDX-License-Identifier: Apache-2.0
"""Processes as BPMN 2.0 files: which of them can be run here, and what is wrong with the others, element by element.

Files come from people, so nothing in them is ever executed: no scripts, no services, no expressions of Python. What
conditions may say is in `conditions`. Timers become messages that the clocks of cases send.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.exceptions import SpiffWorkflowException

from citybrain.kernel.cases.conditions import ConditionUnusable, check_condition
from citybrain.kernel.cases.lengths import LengthUnreadable, read_length
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
LARGEST_BYTES = 1_000_000
ELEMENTS_AT_MOST = 2_000
TIMER = "timer:"
ISO = re.compile(r"P(?:([0-9]{1,4})D|T([0-9]{1,5})H|T([0-9]{1,5})M)")
PARTS = frozenset(
    [
        *("definitions", "process", "collaboration", "participant", "laneSet", "lane", "flowNodeRef"),
        *("startEvent", "endEvent", "intermediateCatchEvent", "boundaryEvent", "terminateEventDefinition"),
        *("userTask", "manualTask", "task", "subProcess", "sequenceFlow", "conditionExpression"),
        *("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"),
        *("timerEventDefinition", "timeDuration", "incoming", "outgoing", "documentation", "text"),
        *("textAnnotation", "association", "group", "category", "categoryValue", "extensionElements"),
    ]
)
IGNORED = frozenset({"extensionElements", "documentation"})


class ModelUnusable(Invalid):
    """A process that cannot be run; `faults` say which element and why."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and the id of the element that has it."""

    code: str
    facts: Facts


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A process that can be run: its specification, and those of the processes inside it."""

    spec: Any
    inside: Mapping[str, Any]


def read_model(xml: str) -> Model:
    """A process ready to be started; refuses `ModelUnusable` with every fault that can be told."""
    root, found = _parsed(xml)
    if root is None or found:
        raise _unusable(found)
    try:
        return _model(_with_messages(root))
    except ValidationException as problem:
        element = {"element": problem.id or problem.name or "?", "why": str(problem)[:200]}
        raise _unusable([Fault(code="kernel.process_element_wrong", facts=element)]) from problem
    except (SpiffWorkflowException, KeyError, AttributeError) as problem:
        facts = {"element": "?", "why": str(problem)[:200]}
        raise _unusable([Fault(code="kernel.process_element_wrong", facts=facts)]) from problem


def faults(xml: str) -> list[Fault]:
    """Everything wrong with a file, none when it can be run."""
    try:
        read_model(xml)
    except ModelUnusable as problem:
        return [Fault(**each) for each in problem.facts["faults"]]
    return []


def _unusable(found: list[Fault]) -> ModelUnusable:
    first = found[0].facts.get("element", "?") if found else "?"
    told = [{"code": each.code, "facts": dict(each.facts)} for each in found]
    return ModelUnusable("kernel.process_unusable", {"element": first, "faults": told})


def _parsed(xml: str) -> tuple[Any, list[Fault]]:
    if len(xml.encode()) > LARGEST_BYTES:
        return None, [Fault(code="kernel.process_too_large", facts={"limit_kb": LARGEST_BYTES // 1000})]
    # Neither entities nor documents elsewhere: a file can be a bomb, or ask for what lies on our disk.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as problem:
        return None, [Fault(code="kernel.process_not_xml", facts={"why": str(problem)[:200]})]
    if root.getroottree().docinfo.doctype:
        return None, [Fault(code="kernel.process_not_xml", facts={"why": "DOCTYPE"})]
    return root, [*_strange(root), *_timers(root), *_conditions(root), *_structure(root)]


def _elements(root: Any) -> Iterator[Any]:
    """The elements of BPMN itself; drawings and what other programs add say nothing here."""
    for element in root.iter(f"{{{BPMN}}}*"):
        if not any(etree.QName(above).localname in IGNORED for above in element.iterancestors(f"{{{BPMN}}}*")):
            yield element


def _strange(root: Any) -> Iterator[Fault]:
    elements = list(_elements(root))
    if root.tag != f"{{{BPMN}}}definitions" or len(elements) > ELEMENTS_AT_MOST:
        yield Fault(code="kernel.process_not_bpmn", facts={"limit": ELEMENTS_AT_MOST})
        return
    for element in elements:
        kind = etree.QName(element).localname
        if kind not in PARTS:
            yield Fault(code="kernel.process_element_not_run", facts={"element": _id(element), "kind": kind})


def _id(element: Any) -> str:
    """The id of an element, or of the nearest one around it that has one."""
    while element is not None and not element.get("id"):
        element = element.getparent()
    return element.get("id") if element is not None else "?"


def _timers(root: Any) -> Iterator[Fault]:
    for timer in root.iter(f"{{{BPMN}}}timerEventDefinition"):
        text = _duration(timer)
        if text is None:
            facts = {"element": _id(timer.getparent()), "length": "".join(timer.itertext()).strip()[:40]}
            yield Fault(code="kernel.process_timer_unreadable", facts=facts)


def _duration(timer: Any) -> str | None:
    """The length of a timer: `5wd`, `8wh`, `3d`, or `P3D`, `PT8H`, `PT30M` as other programs write it."""
    durations = timer.findall(f"{{{BPMN}}}timeDuration")
    text = (durations[0].text or "").strip().strip("\"'") if len(durations) == 1 else ""
    match = ISO.fullmatch(text)
    if match:
        text = next(f"{count}{unit}" for count, unit in zip(match.groups(), ("d", "h", "min"), strict=True) if count)
    try:
        read_length(text)
    except LengthUnreadable:
        return None
    return text


def _conditions(root: Any) -> Iterator[Fault]:
    for condition in root.iter(f"{{{BPMN}}}conditionExpression"):
        try:
            check_condition((condition.text or "").strip())
        except ConditionUnusable as problem:
            facts = {"element": _id(condition.getparent()), "why": str(problem.facts["why"])}
            yield Fault(code="kernel.process_condition_unusable", facts=facts)


def _structure(root: Any) -> Iterator[Fault]:
    """Flows that lead nowhere, elements that nothing leads to or from, gateways that may find no way."""
    processes = root.findall(f"{{{BPMN}}}process")
    if len(processes) != 1:
        yield Fault(code="kernel.process_not_one", facts={"count": len(processes)})
    ids = {element.get("id") for element in _elements(root)}
    flows = list(root.iter(f"{{{BPMN}}}sequenceFlow"))
    for flow in flows:
        for end in ("sourceRef", "targetRef"):
            if flow.get(end) not in ids:
                facts = {"element": _id(flow), "target": str(flow.get(end))}
                yield Fault(code="kernel.process_flow_nowhere", facts=facts)
    for element in _elements(root):
        yield from _connections(element, flows)


def _connections(element: Any, flows: list[Any]) -> Iterator[Fault]:
    kind = etree.QName(element).localname
    if not kind.endswith(("Task", "Gateway", "Event")) and kind not in {"task", "subProcess"}:
        return
    id = element.get("id")
    comes = any(flow.get("targetRef") == id for flow in flows)
    goes = [flow for flow in flows if flow.get("sourceRef") == id]
    if not comes and kind not in {"startEvent", "boundaryEvent"}:
        yield Fault(code="kernel.process_element_unreachable", facts={"element": _id(element)})
    if not goes and kind != "endEvent":
        yield Fault(code="kernel.process_element_dead_end", facts={"element": _id(element)})
    if kind in {"exclusiveGateway", "inclusiveGateway"} and len(goes) > 1:
        free = [flow for flow in goes if flow.find(f"{{{BPMN}}}conditionExpression") is None]
        if element.get("default") not in {flow.get("id") for flow in free} or len(free) != 1:
            yield Fault(code="kernel.process_gateway_without_default", facts={"element": _id(element)})


def _with_messages(root: Any) -> Any:
    """The file with each timer as a message of its own, which names the element and the length."""
    for timer in list(root.iter(f"{{{BPMN}}}timerEventDefinition")):
        owner = timer.getparent()
        name = f"{TIMER}{owner.get('id')}:{_duration(timer)}"
        message = etree.Element(f"{{{BPMN}}}message", id=f"message_{owner.get('id')}", name=name)
        root.insert(0, message)
        definition = etree.Element(f"{{{BPMN}}}messageEventDefinition", messageRef=message.get("id"))
        owner.replace(timer, definition)
    return root


def _model(root: Any) -> Model:
    parser = BpmnParser()
    parser.add_bpmn_xml(root)
    name = root.find(f"{{{BPMN}}}process").get("id")
    spec: BpmnProcessSpec = parser.get_spec(name)
    return Model(spec=spec, inside=parser.get_subprocess_specs(name))
