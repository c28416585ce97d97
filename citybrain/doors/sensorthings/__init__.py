# SPDX-License-Identifier: Apache-2.0
"""The door by which sensors and their clients read and write the pool: OGC SensorThings API 1.1."""
