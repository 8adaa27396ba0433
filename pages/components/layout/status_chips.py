"""The colours of statuses: a status has the same colour everywhere, always beside its label."""

from typing import Final

from markupsafe import Markup

# Beside the status of a refund request that a shop or a provider has to confirm.
AWAITED: Final = "Waits for confirmation"
# Beside the status of one that a second operator has to approve.
UNAPPROVED: Final = "Waits for approval"
# Beside the status of one that has waited longer than its store allows.
OVERDUE: Final = "Overdue"
# Names of the classes in portal.css. Terminated is darker than Deleted; of the refund statuses only the refusal is red.
TONES: Final = {
    "Not paid": "amber",
    "Paid": "green",
    "Deleted": "grey",
    "Terminated": "dark",
    "Not delivered": "outline",
    "Delivered": "blue",
    "Refund request has been sent": "violet",
    "Refund info is being updated": "violet",
    "Request has been completed": "sage",
    "Refusal to refund": "red",
    AWAITED: "outline",
    UNAPPROVED: "amber",
    OVERDUE: "red",
}
# The table is painted on a canvas, which takes no classes: the backgrounds again, in the order of `TONES`.
_LIGHT: Final = {
    "amber": "#fdf0d5",
    "green": "#dcf5e4",
    "grey": "#e9edf2",
    "dark": "#cbd3dd",
    "outline": "#fbf4e4",
    "blue": "#e0ebfe",
    "violet": "#ede7fd",
    "sage": "#dfe9e2",
    "red": "#fde5e5",
}
_DARK: Final = {
    "amber": "#4a360f",
    "green": "#164226",
    "grey": "#2f3945",
    "dark": "#434f5e",
    "outline": "#352b16",
    "blue": "#1c3762",
    "violet": "#372a66",
    "sage": "#2c3d33",
    "red": "#552224",
}


def table_colors(*, dark: bool) -> list[str]:
    """Backgrounds for the statuses in the order of `TONES`."""
    colors = _DARK if dark else _LIGHT
    return [colors[tone] for tone in TONES.values()]


def chip(label: str) -> Markup:
    """HTML of one status."""
    return Markup('<span class="es-chip es-{}">{}</span>').format(TONES[label], label)
