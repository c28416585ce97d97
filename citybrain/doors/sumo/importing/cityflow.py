# SPDX-License-Identifier: Apache-2.0
"""`citybrain import cityflow ROADNET.json FLOW.json`."""

from pathlib import Path

from citybrain.doors.sumo.importing import demand, folder, plain, turns
from citybrain.doors.sumo.importing.bring import bring
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.phases import stages
from citybrain.doors.sumo.importing.roadnet import Roadnet, read_flows, read_roadnet
from citybrain.kernel.importing import Report, Wish

KIND = "cityflow"


def run(wish: Wish) -> Report:
    """Import a CityFlow net with its flows."""
    return bring(KIND, _write, wish)


def _write(wish: Wish, half: Path, findings: Findings) -> str:
    net, flows = read_roadnet(wish.files[0]), read_flows(wish.files[1])
    turns.examine(net, findings)
    _examine_plans(net, findings)
    end_s = demand.HORIZON_S
    if not findings.stopped:
        end_s = demand.write(net, flows, half, findings)
        said = plain.build(net, half, projection=projection(wish.place))
        if said.warnings:
            findings.note("sumo.import_netconvert_says", said.warnings)
    folder.configuration(half, routes=demand.ROUTES, end_s=end_s)
    return wish.attribution


def projection(place: tuple[float, float] | None) -> str:
    """Metres around a place: transverse Mercator with its middle there, so that a metre of the file is a metre."""
    if place is None:
        return ""
    lon, lat = place
    return f"+proj=tmerc +lat_0={lat:.7f} +lon_0={lon:.7f} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs"


def _examine_plans(net: Roadnet, findings: Findings) -> None:
    junctions = [junction for junction in net.intersections if not junction.virtual and junction.road_links]
    plans = {j.id: j.traffic_light.lightphases if j.traffic_light else [] for j in junctions}
    without = [name for name, phases in plans.items() if not stages(phases)]
    if without:
        findings.warn("sumo.import_signals_without_phases", without)
    cycles = {sum(one.green_s + one.clearance_s for one in stages(phases)) for phases in plans.values() if phases}
    if cycles:
        findings.note("sumo.import_plans", shortest_s=min(cycles), longest_s=max(cycles))
