# SPDX-License-Identifier: Apache-2.0
"""What people may do with the hotline: one function per verb."""
