# SPDX-License-Identifier: Apache-2.0
"""Road traffic: congestion found, signals decided, the effect measured."""
