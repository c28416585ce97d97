# SPDX-License-Identifier: Apache-2.0
"""The means of missions: those that people use, and those that missions use on vehicles."""

from citybrain.apps.traffic.control.missions.model import (
    CANCEL_MISSION,
    DISPATCH,
    REROUTE_VEHICLE,
    SEND_VEHICLE,
    CancelMission,
    Dispatch,
    RerouteVehicle,
    SendVehicle,
)
from citybrain.kernel.app import Means

PERMISSION = "traffic.dispatch"

MEANS = (
    Means(name=DISPATCH, permission=PERMISSION, parameters=Dispatch, undone_by=CANCEL_MISSION),
    Means(name=CANCEL_MISSION, permission=PERMISSION, parameters=CancelMission, undone_by=DISPATCH),
    Means(name=SEND_VEHICLE, permission=PERMISSION, parameters=SendVehicle, undone_by=REROUTE_VEHICLE),
    Means(name=REROUTE_VEHICLE, permission=PERMISSION, parameters=RerouteVehicle, undone_by=REROUTE_VEHICLE),
)
