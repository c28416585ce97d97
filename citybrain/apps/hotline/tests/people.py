# SPDX-License-Identifier: Apache-2.0
"""Who acts in the hotline's tests."""

from citybrain.kernel.access import Actor, DepartmentGrant, Kind, Reach, Right

CASES = ("case.view", "case.open", "case.work", "case.assign", "case.transfer")


def staff(name: str, *departments: str) -> Actor:
    """A clerk of some departments; of the whole city when none is named."""
    reach = Reach(departments=frozenset(departments)) if departments else Reach(all=True)
    return Actor(
        name=name,
        account=name,
        kind=Kind.STAFF,
        departments=tuple(DepartmentGrant(department=each, role="clerk") for each in departments),
        rights={each: Right(reach=reach) for each in (*CASES, "hotline.desk", "hotline.callers", "hotline.figures")},
    )


DESK_CLERK = staff("li")
WATER = staff("wang", "water")
ROADS = staff("zhao", "roads")
