# SPDX-License-Identifier: Apache-2.0
"""`citybrain whatif`: asks the running city what would happen with some means, and waits for the answer."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from citybrain.kernel.branches import Thought
from citybrain.kernel.errors import Invalid
from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.outbound import EVERYWHERE
from citybrain.kernel.records import Because, Json
from citybrain.kernel.settings import load_settings
from citybrain.serve import contributions
from citybrain.serve.gate import OWN_PAGE_HEADER
from citybrain.serve.pool_remote import CityRefused
from citybrain.serve.weighing import NO_ACTION
from citybrain.serve.whatif import MEANS, PLAYBOOK, Question, StudyState
from citybrain.serve.whatif_routes import Asked, Place, StudyView

PATH = "/api/whatif"
ASK_EVERY_S = 0.5
WITHIN_S = 30.0

COLUMNS = (
    "serve.whatif_column_arm",
    "serve.whatif_column_around_delay",
    "serve.whatif_column_around_queued",
    "serve.whatif_column_around_pace",
    "serve.whatif_column_net_delay",
    "serve.whatif_column_net_queued",
    "serve.whatif_column_net_pace",
)
ARMS = {
    NO_ACTION: "serve.whatif_arm_none",
    MEANS: "serve.whatif_arm_means",
    PLAYBOOK: "serve.whatif_arm_playbook",
}

out, err = Console(), Console(stderr=True)


class MeansUnreadable(Invalid):
    """A means is written as its name, an entity and parameters as JSON."""


def whatif(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Id of the event.")],
    means: Annotated[
        list[str] | None,
        typer.Option(
            "--means",
            help="NAME:ENTITY or NAME:ENTITY:{JSON}, after 90 s as +90:NAME:…; or `playbook`. Again for more.",
        ),
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=60, help="How far to look ahead.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, max=10, help="Draws of chance for each arm.")] = 1,
    token: Annotated[str, typer.Option(help="Token of a service that may order.", envvar="CITYBRAIN_TOKEN")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """What would happen at an event: nothing done, with the means, with the playbook. The live city is not touched."""
    settings = load_settings()
    question = Question(
        event_id=event,
        means=tuple(read_means(each) for each in means or () if each != PLAYBOOK),
        minutes=minutes,
        seeds=seeds,
        playbook=PLAYBOOK in (means or ()),
    )
    study = asyncio.run(_ask(question, f"http://{settings.host}:{settings.port}", token))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(study) + b"\n")
    else:
        _show(study)
    if study.state is not StudyState.DONE:
        raise typer.Exit(1)


def read_means(text: str) -> Thought:
    """`name:entity`, with `:{…}` its parameters; entities have colons too. `+90:` before it is 90 seconds from now."""
    try:
        after_s, rest = (float(text[1:].partition(":")[0]), text.partition(":")[2]) if text[:1] == "+" else (0.0, text)
        name, _, rest = rest.partition(":")
        entity, brace, parameters = rest.partition(":{")
        given = msgspec.json.decode(f"{{{parameters}") if brace else {}
    except (ValueError, msgspec.DecodeError) as error:
        raise MeansUnreadable("serve.whatif_means_unreadable", {"text": text}) from error
    if not name or not entity or after_s < 0:
        raise MeansUnreadable("serve.whatif_means_unreadable", {"text": text})
    return Thought(means=name, entity_id=entity, parameters=given, after_s=after_s)


async def _ask(question: Question, url: str, token: str) -> StudyView:
    http = Http(outbound=EVERYWHERE)
    try:
        body = await _send(http, "POST", url + PATH, token, msgspec.json.encode(question))
        id = msgspec.json.decode(body, type=Asked).id
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task(_say("serve.whatif_running"), total=1.0)
            while True:
                study = msgspec.json.decode(await _send(http, "GET", f"{url}{PATH}/{id}", token), type=StudyView)
                progress.update(task, completed=study.progress)
                if study.state not in (StudyState.WAITING, StudyState.RUNNING):
                    return study
                await asyncio.sleep(ASK_EVERY_S)
    finally:
        await http.close()


async def _send(http: Http, method: str, url: str, token: str, content: bytes = b"") -> bytes:
    headers = {"content-type": "application/json", OWN_PAGE_HEADER: "1"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    call = Call(method=method, url=url, headers=headers, content=content, may_repeat=method == "GET")
    try:
        async with asyncio.timeout(WITHIN_S):
            answer = await http.send(call)
    except (NoAnswer, TimeoutError) as problem:
        facts = {"id": url, "why": str(problem) or type(problem).__name__}
        raise CityRefused("serve.pool_remote_refused", facts) from problem
    if answer.status not in (200, 202):
        raise _refused(answer.status, answer.body or b"")
    return answer.body or b""


def _refused(status: int, body: bytes) -> CityRefused:
    """What the city said, with its own code where it has one."""
    try:
        told: Json = msgspec.json.decode(body)
        return CityRefused(str(told["code"]), dict(told["facts"]))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        why = f"{status} {body.decode(errors='replace')[:300]}"
        return CityRefused("serve.pool_remote_refused", {"id": PATH, "why": why})


def _show(study: StudyView) -> None:
    """The arms side by side, and one sentence."""
    table = Table(*map(_say, COLUMNS))
    for arm in study.arms:
        table.add_row(_say(ARMS[arm.name]), *_figures(arm.around), *_figures(arm.net))
    if study.arms:
        out.print(table)
    for said in [*(each.verdict for each in study.compared), study.caveat, study.trouble]:
        if said is not None:
            out.print(_sentence(said), soft_wrap=True, highlight=False)
    for arm in study.arms:
        for refusal in arm.refused:
            out.print(f"[yellow]{_say(ARMS[arm.name])}:[/yellow] {_sentence(refusal)}", soft_wrap=True)
    for left_out in study.left_out:
        out.print(_say("serve.whatif_not_simulated", means=left_out), soft_wrap=True)


def _figures(place: Place) -> tuple[str, str, str]:
    pace = "–" if place.travel_s_per_km is None else f"{place.travel_s_per_km:.0f}"
    return f"{place.delay_s / 60:.0f}", f"{place.vehicles_queued:.0f}", pace


def _sentence(because: Because) -> str:
    facts = dict(because.facts)
    if "arm" in facts:
        facts["arm"] = _say(ARMS[str(facts["arm"])])
    return _say(because.code, **facts)


def _say(code: str, **facts: object) -> str:
    return contributions.words().sentence(code, facts, load_settings().lang)
