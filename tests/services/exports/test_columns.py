"""The titles of the export's columns, in their order: programs of others read the files by them."""

from services.exports.columns import ExportRows, column_titles

ORDER_TITLES = (
    "Order ID", "Order", "1C ID", "Store", "Status", "Delivery", "Refund", "Subscription", "Creation date",
    "Payment date", "Currency", "Total", "First Name", "Last Name", "Email", "Phone Number", "Company", "VAT Number",
    "Country", "Payment method", "Last 4 digits of Card Number", "Personal data erased",
)  # fmt: skip
ITEM_TITLES = (
    "Item", "Product", "SKU", "Quantity", "Price", "Discount %", "Discount", "VAT", "Amount", "Item delivered",
    "Item refunded", "Licence first name", "Licence last name", "Licence email", "Activation codes",
)  # fmt: skip


def test_the_titles_of_an_export_of_orders() -> None:
    assert column_titles(ExportRows.ORDER) == ORDER_TITLES


def test_the_titles_of_an_export_of_items_begin_with_those_of_orders() -> None:
    assert column_titles(ExportRows.ITEM) == ORDER_TITLES + ITEM_TITLES
