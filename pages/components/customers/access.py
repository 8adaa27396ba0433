"""What administrators can do for a person: hand out everything held of them, and go on to the deletion."""

import streamlit as st

from services.access import Viewer
from services.customers.models import Person


def access_buttons(person: Person, viewer: Viewer) -> None:
    """Links to the file of an access request, and the way to the deletion, for administrators."""
    if not viewer.may_administer or person.customer_erased or not person.email:
        return
    with st.popover("Personal data", icon=":material/badge:", key="customer_data"):
        st.caption(
            "Everything that the portal holds of the person with this e-mail, in all stores. Handing it out is "
            "recorded in the audit log."
        )
        address = f"/personal-data/{person.order_id}"
        st.html(
            f'<div class="es-downloads"><a class="es-button" href="{address}.xlsx" download>Export as workbook</a> '
            f'<a class="es-button" href="{address}.json" download>Export as JSON</a></div>'
        )
        st.button(
            "Go on to the deletion",
            icon=":material/delete:",
            type="tertiary",
            on_click=_prepare_deletion,
            args=(person.email,),
        )
    if st.session_state.pop("customer_goes_on", False):
        st.switch_page("pages/administration.py")


def _prepare_deletion(email: str) -> None:
    """Fill the form of Administration, Personal data; the e-mail is in the session and in no address."""
    st.session_state.erasure_email = email
    st.session_state.administration_section = "Personal data"
    st.session_state.customer_goes_on = True
