# SPDX-License-Identifier: Apache-2.0
"""Snapshots: entities as they were at one time, kept apart (CIM 009 clause 5.16)."""
