"""Errors as pages show them."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import streamlit as st
from sqlalchemy.exc import OperationalError

from db.errors import SqlState, sqlstate
from pages.rendering.escaping import html_text, markdown_text
from services.errors import SupportError

log = logging.getLogger("esupport.pages")

TOO_LONG = "This search takes too long. Please narrow the search: add a date, or another field."


class HtmlPlace(Protocol):
    """Where HTML can be drawn: an element, or Streamlit itself for the next position."""

    def html(self, body: str, /) -> object: ...


def field_error(container: HtmlPlace, text: object) -> None:
    """Draw `text` in `container`, as the error of the field beside it."""
    container.html(f'<div class="es-field-error" role="alert">{html_text(text)}</div>')


@contextmanager
def showing_errors() -> Iterator[None]:
    """Show a `SupportError` as its sentence, and any other error as a reference that is also in the log."""
    try:
        yield
    except SupportError as error:
        st.error(markdown_text(str(error)), icon=":material/error:")
    except OperationalError as error:
        reference = _log(error)
        if sqlstate(error) == SqlState.QUERY_CANCELED:
            st.error(TOO_LONG, icon=":material/error:")
            return
        st.error(
            f"The database did not answer in time. Please try again, or narrow the search. Reference {reference}.",
            icon=":material/error:",
        )
    except Exception as error:  # a defect; Streamlit's own control flow does not derive from Exception
        reference = _log(error)
        st.error(
            f"Something went wrong on our side. Nothing was changed. Reference {reference}.",
            icon=":material/error:",
        )


def _log(error: Exception) -> str:
    reference = secrets.token_hex(4)
    log.error("reference %s", reference, exc_info=error)
    return reference
