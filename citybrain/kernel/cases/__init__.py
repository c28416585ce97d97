# SPDX-License-Identifier: Apache-2.0
"""Work that a person or department must finish by a deadline."""
