# SPDX-License-Identifier: Apache-2.0
"""What people do at the emergency desk."""
