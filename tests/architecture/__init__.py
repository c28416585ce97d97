# SPDX-License-Identifier: Apache-2.0
"""What the machine keeps about the house itself; each rule is proved to bite."""
