# SPDX-License-Identifier: Apache-2.0
"""What people ask of the app: junctions, corridors, comparisons, proposals."""
