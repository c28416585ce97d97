# SPDX-License-Identifier: Apache-2.0
"""Plans on request: fixed plans by day and hour, green waves, priority for buses, and better plans from history."""
