# SPDX-License-Identifier: Apache-2.0
"""Cities brought from files of SUMO, OpenStreetMap and CityFlow: examined, reported on, kept whole or not at all."""
