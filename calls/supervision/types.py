"""The types of supervision: lists of orders, handing over to partner offices, the errors.

In: nothing. Out: `Watch`, `Counts`, `Handover`, `BadHandover`.
Not known here: how orders are kept, HTTP.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.orders.types import BadOrder


class Watch(StrEnum):
    """Why an order has to be looked after."""

    OVERDUE = "overdue"
    DUE_SOON = "due_soon"
    RETURNED = "returned"
    """Sent back twice or more: nobody feels responsible."""
    REPEATED = "repeated"
    """One caller has three orders or more within a month."""
    UNSATISFIED = "unsatisfied"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A matter that a partner office was told of (抄报)."""

    order_id: str
    office: str
    reason: str
    author: str
    at: datetime


PARTNERS = (
    "公安 110",
    "消防 119",
    "急救 120",
    "交警 122",
    "燃气公司",
    "供电公司",
    "供水公司",
    "通信运营商",
    "应急管理局",
    "社区（村）",
)
"""Offices to choose from; others can be typed."""


class BadHandover(BadOrder):
    """What is needed to hand a matter over is missing, or too much."""

    code = "handover.bad"
