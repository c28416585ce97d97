# SPDX-License-Identifier: Apache-2.0
"""The door for geographic information systems: OGC API - Features over the pool."""
