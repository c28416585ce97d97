# SPDX-License-Identifier: Apache-2.0
"""Context source registrations: who else holds what, and which operations may go there (CIM 009 clause 5.9)."""
