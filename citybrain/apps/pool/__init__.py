# SPDX-License-Identifier: Apache-2.0
"""The pool itself: what is in it, what is told to whom, and how good it is."""
