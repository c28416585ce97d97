# SPDX-License-Identifier: Apache-2.0
"""Composition roots and nothing else."""
