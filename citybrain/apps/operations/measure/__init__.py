# SPDX-License-Identifier: Apache-2.0
"""From events, orders and checks to the figures of the operation centre."""
