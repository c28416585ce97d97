# SPDX-License-Identifier: Apache-2.0
"""The door for reports: a GeoReport v2 server (Open311) over what the pool shows of services and requests."""
