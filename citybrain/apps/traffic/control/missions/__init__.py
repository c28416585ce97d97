# SPDX-License-Identifier: Apache-2.0
"""Missions: ambulances, fire engines and police go where they are sent on the fastest way, with green ahead of them."""
