# SPDX-License-Identifier: Apache-2.0
"""Why a stage was chosen, as facts of one sentence: who has green, who waits most, at what rates, what came second."""

from citybrain.apps.traffic.choice.mind import Choice, Mind, Tracks
from citybrain.apps.traffic.choice.naming import NONE, Names
from citybrain.apps.traffic.choice.worth import REACH_M
from citybrain.apps.traffic.model import Junction
from citybrain.kernel.records import Because, Facts, Text


def because(choice: Choice, mind: Mind, names: Names, tracks: Tracks, batch_id: str) -> Because:
    """The sentence of one decision. Rates are vehicles per second, weighted as `choice.py` weighs them."""
    junction = mind.junction
    return Because(
        code=_code(choice),
        facts={
            "stage": choice.stage,
            "movement": names.stage(junction, choice.stage),
            "stage_rate": round(choice.chosen.rate, 3),
            "current_rate": round(choice.current.rate, 3),
            "vehicles": choice.chosen.vehicles,
            "longest_wait_s": round(choice.chosen.longest_wait_s),
            "full_exits": choice.current.full_exits,
            **_busiest(choice, mind, names, tracks),
            **_second(choice, junction, names),
        },
        batch_id=batch_id,
        entity_ids=junction.signals,
    )


def _code(choice: Choice) -> str:
    """With nobody in sight a junction rests where it is, which is no victory of a stage."""
    if choice.code == "traffic.stage_still_passes_most" and not choice.chosen.vehicles:
        return "traffic.stage_rests"
    return choice.code


def _busiest(choice: Choice, mind: Mind, names: Names, tracks: Tracks) -> Facts:
    """The approach that the stage serves with most vehicles within reach, and how long its first has waited."""
    junction = mind.junction
    approach: Text = NONE
    most, wait_s = 0.0, 0.0
    for one in mind.served[choice.stage]:
        lane = junction.approaches[one.approach]
        near = [track for track in tracks[lane.detector_id] if 0.0 <= track[0] <= REACH_M]
        count = sum(track[3] for track in near)
        if count > most:
            approach, most = names.approach(lane.detector_id), count
            wait_s = max(track[2] for track in near)
    return {"approach": approach, "approach_vehicles": round(most), "approach_wait_s": round(wait_s)}


def _second(choice: Choice, junction: Junction, names: Names) -> Facts:
    """The stage of the next value."""
    others = {stage: value for stage, value in choice.values.items() if stage != choice.stage}
    if not others:
        return {"second": NONE, "second_rate": 0.0}
    best = max(others, key=lambda stage: others[stage])
    return {"second": names.stage(junction, best), "second_rate": round(others[best], 3)}
