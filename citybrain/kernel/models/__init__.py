# SPDX-License-Identifier: Apache-2.0
"""Data models: what entities of a type should have, in which units and ranges, and what is found when they do not."""
