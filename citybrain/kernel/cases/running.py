# SPDX-License-Identifier: Apache-2.0
"""A process on its way: what people have to do now, what it waits for, and how it goes on. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.util.task import TaskState

from citybrain.kernel.cases.bpmn import TIMER, Model
from citybrain.kernel.cases.conditions import ConditionUnusable, holds
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.records import Facts, Json

DATA_BYTES = 64 * 1024


class ProcessStuck(Conflict):
    """The process cannot go on from an element; nothing was changed."""


class NoSuchTask(NotFound):
    """Nobody has to do this in the process now: it was done, or another way was taken."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something people have to do: `element` is its id in the file, `lane` whose it is."""

    task: str
    element: str
    name: str
    lane: str


class TimerSet(msgspec.Struct, frozen=True, kw_only=True):
    """A timer that runs: `task` is this passing of the element."""

    task: str
    element: str
    length: str


class Conditions(PythonScriptEngine):  # type: ignore[misc]
    """Evaluates conditions of ours; executes nothing whatever stands in a file."""

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Json:
        """The value of a condition with what is known in a process."""
        try:
            return holds(expression.strip(), task.data)
        except ConditionUnusable as problem:
            facts = {"element": task.task_spec.bpmn_id or "?", "why": problem.facts["why"]}
            raise ProcessStuck("kernel.process_stuck", facts) from problem

    def execute(self, task: Any, script: str, external_context: Any = None) -> Json:
        """Nothing is executed."""
        raise ProcessStuck("kernel.process_stuck", {"element": task.task_spec.bpmn_id or "?", "why": "script"})


class Running:
    """One process. Every step either leads to where it waits again or is refused with the element that is to blame."""

    def __init__(self, workflow: BpmnWorkflow) -> None:
        self._workflow = workflow

    @classmethod
    def start(cls, model: Model, known: Facts) -> "Running":
        """Begin, and go on to where it waits for the first time."""
        workflow = BpmnWorkflow(model.spec, dict(model.inside), script_engine=Conditions())
        workflow.task_tree.set_data(**known)
        return cls(workflow)._go_on()

    @classmethod
    def restore(cls, state: str) -> "Running":
        """As it was when it was stored."""
        workflow = BpmnWorkflowSerializer().from_dict(msgspec.json.decode(state))
        workflow.script_engine = Conditions()
        return cls(workflow)

    def store(self) -> str:
        """All of it, as JSON in which the order of keys matters: tasks come behind those they follow."""
        return msgspec.json.encode(BpmnWorkflowSerializer().to_dict(self._workflow)).decode()

    @property
    def is_over(self) -> bool:
        """Whether every branch has come to its end."""
        return bool(self._workflow.completed)

    def tasks(self) -> list[Task]:
        """What people have to do now, in the order of the branches."""
        ready = self._workflow.get_tasks(state=TaskState.READY, manual=True)
        return [
            Task(
                task=str(each.id),
                element=each.task_spec.bpmn_id or each.task_spec.name,
                name=each.task_spec.bpmn_name or each.task_spec.bpmn_id or "",
                lane=each.task_spec.lane or "",
            )
            for each in ready
        ]

    def timers(self) -> list[TimerSet]:
        """The timers that run now."""
        return [
            TimerSet(task=str(each.id), element=name[0], length=name[1])
            for each in self._workflow.get_tasks(state=TaskState.WAITING)
            if (name := _timer_of(each))
        ]

    def complete(self, task: str, data: Mapping[str, Json]) -> None:
        """Somebody did a task and says what came of it; refuses `NoSuchTask` and `ProcessStuck`."""
        found = next((each for each in self.tasks() if each.task == task), None)
        if found is None:
            raise NoSuchTask("kernel.no_such_process_task", {"task": task[:40]})
        each = next(each for each in self._workflow.get_tasks(state=TaskState.READY) if str(each.id) == task)
        if len(msgspec.json.encode(data)) > DATA_BYTES:
            facts = {"element": found.element, "why": f"> {DATA_BYTES // 1024} KiB"}
            raise ProcessStuck("kernel.process_stuck", facts)
        each.set_data(**{name: value for name, value in data.items() if name != "case"})
        with _told(found.element):
            each.run()
        self._go_on()

    def ring(self, task: str) -> bool:
        """A timer is over; False when the process does not wait for it any more."""
        for each in self._workflow.get_tasks(state=TaskState.WAITING):
            if str(each.id) == task and _timer_of(each):
                spec = each.task_spec
                with _told(spec.bpmn_id or "?"):
                    self._workflow.catch(BpmnEvent(spec.event_definition, target=each.workflow))
                self._go_on()
                return True
        return False

    def _go_on(self) -> "Running":
        with _told("?"):
            self._workflow.do_engine_steps()
        return self


def _timer_of(task: Any) -> tuple[str, str] | None:
    name = getattr(getattr(task.task_spec, "event_definition", None), "name", None) or ""
    if not name.startswith(TIMER):
        return None
    element, _, length = name.removeprefix(TIMER).rpartition(":")
    return element, length


class _told:  # noqa: N801 reads as a word
    """What goes wrong inside names its element."""

    def __init__(self, element: str) -> None:
        self._element = element

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if isinstance(problem, SpiffWorkflowException):
            spec = getattr(problem, "task_spec", None)
            element = getattr(spec, "bpmn_id", None) or self._element
            facts = {"element": element, "why": str(problem)[:200]}
            raise ProcessStuck("kernel.process_stuck", facts) from problem
