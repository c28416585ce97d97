# SPDX-License-Identifier: Apache-2.0
"""Which stage a junction should show: what is worth most, what is remembered, how it is told."""
