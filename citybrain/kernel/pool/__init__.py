# SPDX-License-Identifier: Apache-2.0
"""The pool: what the city is now, in memory, and what it was, in the database."""

from citybrain.kernel.pool.pool import BatchView, Now, Observed, Pool

__all__ = ["BatchView", "Now", "Observed", "Pool"]
