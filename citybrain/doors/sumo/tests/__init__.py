# SPDX-License-Identifier: Apache-2.0
"""The door `sumo`: on the net of one Cologne junction, and on a crossing built while testing."""
