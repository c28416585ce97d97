# SPDX-License-Identifier: Apache-2.0
"""The kernel's permissions, and the three powers that nobody may join: administration, security, audit."""

from collections.abc import Iterable, Mapping

from citybrain.kernel.errors import Conflict, Invalid

PUBLIC = "public"  # the role everybody has, signed in or not
CITIZEN = "citizen"  # the role of everybody who signed in as a citizen; it reaches what is their own
STAFF = "staff"  # the role of everybody with a staff account
OPERATOR = "operator"
ADMIN = "admin"
SECURITY = "security"
AUDIT = "audit"

# GB/T 22239-2019 8.1.5 and 8.1.7: system administrator, security administrator and auditor check each other.
POWERS = frozenset({ADMIN, SECURITY, AUDIT})

KERNEL_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "city.view": (PUBLIC, OPERATOR),
    "session.open": (PUBLIC, OPERATOR),
    "city.acknowledge": (OPERATOR,),
    "city.control": (OPERATOR,),
    "city.order": (OPERATOR,),
    "city.services": (OPERATOR, ADMIN),
    "session.own": (STAFF, CITIZEN),
    "people.view": (STAFF,),
    "people.delegate": (STAFF,),
    "people.appoint": (OPERATOR, SECURITY),
    "people.accounts": (ADMIN,),
    "people.departments": (ADMIN,),
    "people.roles": (SECURITY,),
    "people.grants": (SECURITY,),
    "people.sessions": (SECURITY,),
    "audit.view": (AUDIT,),
}


class TwoPowers(Conflict):
    """Nobody may hold two of the three powers."""


class PowerPermission(Invalid):
    """What only a power may do cannot be put into another role, a post or a delegation."""


def check_powers(account: str, roles: Iterable[str]) -> None:
    """Refuse roles of which two are powers."""
    held = sorted(POWERS.intersection(roles))
    if len(held) > 1:
        raise TwoPowers("kernel.two_powers", {"account": account, "powers": held})


def of_powers_only(roles: Iterable[str]) -> bool:
    """Whether a permission belongs to powers alone, so that nobody else can be given it."""
    held = frozenset(roles)
    return bool(held) and held <= POWERS
