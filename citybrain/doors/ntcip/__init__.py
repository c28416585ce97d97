# SPDX-License-Identifier: Apache-2.0
"""Actuated signal controllers that speak NTCIP 1202 over SNMP."""
