# SPDX-License-Identifier: Apache-2.0
"""The Numenta anomaly benchmark, scored by our own reading of its definition."""
