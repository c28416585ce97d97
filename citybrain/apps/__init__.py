# SPDX-License-Identifier: Apache-2.0
"""The domains of the city: one folder each, siblings that do not know each other."""
