# SPDX-License-Identifier: Apache-2.0
"""Incidents that need command."""
