"""Where the rows of a table are. Streamlit draws a table as one picture: there is no element for a row to click on."""

from playwright.sync_api import Locator, Page, expect

from pages.components.layout.row_table import ROW_HEIGHT

_HEADER = 36
_X = 120


def table_in(page: Page) -> Locator:
    """The page's first table."""
    return page.get_by_test_id("stDataFrame").first


def box_of(table: Locator) -> dict[str, float]:
    """Where a table stands, once it stands still: it is drawn anew with other rows."""
    seen = None
    for _ in range(50):
        expect(table).to_be_visible()
        table.page.wait_for_timeout(150)
        box = table.bounding_box()
        if box is not None and box == seen:
            return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
        seen = box
    raise AssertionError("The table does not stand still.")


def middle_of_row(box: dict[str, float], number: int = 0) -> float:
    """How far down the page the middle of a row is, counted from the topmost visible one, which is 0."""
    return box["y"] + _HEADER + ROW_HEIGHT * number + ROW_HEIGHT / 2


def rows_visible(box: dict[str, float]) -> int:
    return round((box["height"] - _HEADER - 2) / ROW_HEIGHT)


def click_row(page: Page, number: int = 0) -> None:
    """Choose a row of the page's first table, counted from the topmost visible one, which is 0."""
    box = box_of(table_in(page))
    page.mouse.click(box["x"] + _X, middle_of_row(box, number))


def scroll_rows(page: Page, number: int) -> None:
    """Turn the wheel by so many rows over the page's first table, which stops at its last page."""
    box = box_of(table_in(page))
    page.mouse.move(box["x"] + _X, box["y"] + 100)
    page.mouse.wheel(0, ROW_HEIGHT * number)
    page.wait_for_timeout(300)
