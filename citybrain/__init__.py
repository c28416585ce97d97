# SPDX-License-Identifier: Apache-2.0
"""citybrain: the operating system of a city."""

__version__ = "0.1.0"
