# SPDX-License-Identifier: Apache-2.0
"""Controllers in the street, whatever they speak: how they are looked at, told of and commanded."""
