# SPDX-License-Identifier: Apache-2.0
"""The city's means of disposal beyond signals: what each is, who or what carries it out, and what it promises."""
