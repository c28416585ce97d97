# SPDX-License-Identifier: Apache-2.0
"""What the hotline keeps in tables of its own."""
