# SPDX-License-Identifier: Apache-2.0
"""What the pool promises of state and history."""
