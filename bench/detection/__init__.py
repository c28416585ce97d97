# SPDX-License-Identifier: Apache-2.0
"""Incidents whose truth is known, against what the city's detectors tell of them."""
