"""What `bench.clicks` compares with: a Streamlit page whose dialog does nothing and then says so."""

import streamlit as st


@st.dialog("Plain")
def plain() -> None:
    with st.form("plain", border=False):
        st.text_area("Reason")
        pressed = st.form_submit_button("Send", type="primary")
    if pressed:
        st.session_state.said = "Nothing was done."
        st.rerun()


if said := st.session_state.pop("said", None):
    st.toast(said, duration="long")
st.button("Open", on_click=lambda: st.session_state.update(open=True))
if st.session_state.pop("open", None):
    plain()
