# SPDX-License-Identifier: Apache-2.0
"""SUMO's answers that are asked for thousands of times a second, without the Python function around each of them.

libsumo's own wrappers only pass on what they get, and cost as much as the answer itself.
"""

from libsumo import _libsumo

lane_of = _libsumo.vehicle_getLaneID
position_of = _libsumo.vehicle_getLanePosition
speed_of = _libsumo.vehicle_getSpeed
road_of = _libsumo.vehicle_getRoadID
lamps_of = _libsumo.trafficlight_getRedYellowGreenState
standing_on = _libsumo.lane_getLastStepHaltingNumber
