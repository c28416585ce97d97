# SPDX-License-Identifier: Apache-2.0
"""The door to signal controllers that speak GB/T 20999-2017, over TCP or UDP."""
