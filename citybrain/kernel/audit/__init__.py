# SPDX-License-Identifier: Apache-2.0
"""The city's memory of who did what: only ever added to, chained, sealed, and verified."""

from citybrain.kernel.audit.audit import SEAL_CRON, Audit
from citybrain.kernel.audit.chain import Chain, Entry, Head, Seal, chaining, extend, seal
from citybrain.kernel.audit.recording import MACHINE, Acting, Deed, record, record_all
from citybrain.kernel.audit.searching import AuditEntry, AuditLink, AuditQuery, export, link_of, search
from citybrain.kernel.audit.verifying import Finding, Flaw, Report, verify

__all__ = [
    "MACHINE",
    "SEAL_CRON",
    "Acting",
    "Audit",
    "AuditEntry",
    "AuditLink",
    "AuditQuery",
    "Chain",
    "Deed",
    "Entry",
    "Finding",
    "Flaw",
    "Head",
    "Report",
    "Seal",
    "chaining",
    "export",
    "extend",
    "link_of",
    "record",
    "record_all",
    "seal",
    "search",
    "verify",
]
