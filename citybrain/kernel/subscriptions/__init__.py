# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: who is told what of the city's changes, in order, at least once (CIM 009 clauses 5.8 and 5.11)."""
