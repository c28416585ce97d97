# SPDX-License-Identifier: Apache-2.0
"""What all of the city shares; it imports nobody."""
