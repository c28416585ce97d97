# SPDX-License-Identifier: Apache-2.0
"""Who is sent: chosen by time on the road, load and skill."""
