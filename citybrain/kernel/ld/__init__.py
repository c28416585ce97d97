# SPDX-License-Identifier: Apache-2.0
"""JSON-LD contexts: how the names people use and the names the city keeps become one another."""
