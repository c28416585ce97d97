# SPDX-License-Identifier: Apache-2.0
"""Figures of the traffic brain beside its rivals: `python -m bench.traffic`."""
