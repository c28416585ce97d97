# SPDX-License-Identifier: Apache-2.0
"""Who has the say at a signal: the brain's decider, claims of others, modes, locks, missions, plans."""
