# SPDX-License-Identifier: Apache-2.0
"""Indexes in memory, pure: places by their names, tickets by what they tell, where and when."""
