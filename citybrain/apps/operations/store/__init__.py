# SPDX-License-Identifier: Apache-2.0
"""What operations keeps in tables of its own."""
