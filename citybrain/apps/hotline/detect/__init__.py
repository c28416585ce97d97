# SPDX-License-Identifier: Apache-2.0
"""What tickets together tell: bursts in place and time, hot spots, and a classifier that no longer fits. Pure."""
