# SPDX-License-Identifier: Apache-2.0
"""What is found in observations. Pure."""
