# SPDX-License-Identifier: Apache-2.0
"""The city's memory of who did what: only ever added to, chained, sealed, and verified."""

from citybrain.kernel.audit.recording import MACHINE, Acting, Deed, record, record_all

__all__ = ["MACHINE", "Acting", "Deed", "record", "record_all"]
