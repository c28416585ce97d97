# SPDX-License-Identifier: Apache-2.0
"""The 12345 hotline: what citizens ask and report, until they have an answer."""
