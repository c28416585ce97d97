# SPDX-License-Identifier: Apache-2.0
"""Figures of the hotline, each with the rows behind it, and the report of a month. Pure."""
