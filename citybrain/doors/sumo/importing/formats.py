# SPDX-License-Identifier: Apache-2.0
"""The formats that this door brings cities from."""

from citybrain.doors.sumo.importing import cityflow, existing, openstreetmap
from citybrain.kernel.importing import Importer

IMPORTERS = (
    Importer(
        name=existing.KIND,
        files=("PATH",),
        help="A SUMO configuration, its folder, or a .net.xml alone.",
        run=existing.run,
    ),
    Importer(
        name=openstreetmap.KIND,
        files=("FILE",),
        help="An OpenStreetMap extract: .osm, .osm.gz or .osm.bz2.",
        run=openstreetmap.run,
    ),
    Importer(
        name=cityflow.KIND,
        files=("ROADNET", "FLOW"),
        help="A CityFlow roadnet.json with its flow.json.",
        run=cityflow.run,
    ),
)
