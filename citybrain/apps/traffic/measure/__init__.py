# SPDX-License-Identifier: Apache-2.0
"""What the control of signals is worth: indicators, and what the brain would do in shadow."""
