# SPDX-License-Identifier: Apache-2.0
"""Who carries the city's means out that are none of the street's: cases, messages, commands to devices."""
