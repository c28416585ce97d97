# SPDX-License-Identifier: Apache-2.0
"""The hotline behind the city's web front: rights, and what goes over the wire."""
