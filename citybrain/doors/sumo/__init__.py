# SPDX-License-Identifier: Apache-2.0
"""SUMO as a city: networks and demand are opened, watched through sensors and steered through signals."""
