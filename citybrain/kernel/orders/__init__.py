# SPDX-License-Identifier: Apache-2.0
"""Orders of people and programs: given, approved, standing, ended, and what became of each."""

from citybrain.kernel.orders.delivery import Delivery
from citybrain.kernel.orders.order import (
    OrderAct,
    OrderState,
    Outcome,
    StandingOrder,
    Wanted,
)
from citybrain.kernel.orders.orders import Orders
from citybrain.kernel.orders.writing import Trade

__all__ = [
    "Delivery",
    "OrderAct",
    "OrderState",
    "Orders",
    "Outcome",
    "StandingOrder",
    "Trade",
    "Wanted",
]
