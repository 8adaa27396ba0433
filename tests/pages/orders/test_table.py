"""The table's sizes: every chip of a status has room."""

import itertools
from typing import Any

import pytest

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus
from pages.components.layout.row_table import ROW_HEIGHT
from pages.components.orders.table import chips_size

# What chips were measured to take in Chromium, in pixels.
MEASURED = {"Refund request has been sent": 178, "Refund info is being updated": 169, "Not delivered": 86}
PHONE, ORDER_AND_MARK = 366, 32 + 112


@pytest.mark.parametrize("chips", list(itertools.product(MainStatus, DeliveryStatus, [None, *RefundStatus])))
def test_every_chip_has_room_in_its_cell(chips: tuple[Any, ...]) -> None:
    labels = [status.label for status in chips if status is not None]
    width, height = chips_size([labels, ["Paid"]])
    needed = [MEASURED.get(label, 16 + 6 * len(label)) + 4 for label in labels]
    lines = 1 if height == ROW_HEIGHT else 2
    fits = any(
        sum(needed[:n]) <= width - 12 and sum(needed[n:]) <= width - 12
        for n in (range(1, len(needed) + 1) if lines == 2 else [len(needed)])
    )
    assert fits
    assert width + ORDER_AND_MARK <= PHONE, "on a phone too, beside the order"


def test_without_a_refund_rows_are_low() -> None:
    assert chips_size([["Paid", "Delivered"], ["Terminated", "Not delivered"]])[1] == ROW_HEIGHT
    assert chips_size([]) == (120, ROW_HEIGHT)
