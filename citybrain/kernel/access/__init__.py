# SPDX-License-Identifier: Apache-2.0
"""Who is who, and who may do what: accounts, sessions, second factors, departments, roles and the one policy."""

from citybrain.kernel.access.actor import Actor, DepartmentGrant, Fields, Kind, Person, Reach, Right, Shown
from citybrain.kernel.access.attempts import FAILURES_ALLOWED, LOCKED_FOR, SignInLocked
from citybrain.kernel.access.entrance import OPERATOR_NAME, Access, PermissionTwice, SignInRefused
from citybrain.kernel.access.policy import NotPermitted, Policy, fields, reach, require
from citybrain.kernel.access.powers import (
    ADMIN,
    AUDIT,
    CITIZEN,
    KERNEL_PERMISSIONS,
    OPERATOR,
    POWERS,
    PUBLIC,
    SECURITY,
    STAFF,
    TwoPowers,
)
from citybrain.kernel.access.roles import UnknownPermission
from citybrain.kernel.access.services import NoSuchService, ServiceView
from citybrain.kernel.access.sessions import SESSION_LASTS

__all__ = [
    "ADMIN",
    "AUDIT",
    "CITIZEN",
    "FAILURES_ALLOWED",
    "KERNEL_PERMISSIONS",
    "LOCKED_FOR",
    "OPERATOR",
    "OPERATOR_NAME",
    "POWERS",
    "PUBLIC",
    "SECURITY",
    "SESSION_LASTS",
    "STAFF",
    "Access",
    "Actor",
    "DepartmentGrant",
    "Fields",
    "Kind",
    "NoSuchService",
    "NotPermitted",
    "PermissionTwice",
    "Person",
    "Policy",
    "Reach",
    "Right",
    "ServiceView",
    "Shown",
    "SignInLocked",
    "SignInRefused",
    "TwoPowers",
    "UnknownPermission",
    "fields",
    "reach",
    "require",
]
