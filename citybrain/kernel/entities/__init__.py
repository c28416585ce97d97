# SPDX-License-Identifier: Apache-2.0
"""Entities as NGSI-LD has them: their form, how they are read, changed, asked for and shown."""
