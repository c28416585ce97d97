# SPDX-License-Identifier: Apache-2.0
"""NGSI-LD: the city's entities over HTTP, as ETSI GS CIM 009 V1.9.1 says."""
