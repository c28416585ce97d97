# SPDX-License-Identifier: Apache-2.0
"""How the outside world connects: one folder for each standard or feed."""
