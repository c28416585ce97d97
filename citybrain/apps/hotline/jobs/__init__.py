# SPDX-License-Identifier: Apache-2.0
"""What the hotline does by itself: it watches for bursts and drift, trains anew, tells areas, takes e-mail in."""
