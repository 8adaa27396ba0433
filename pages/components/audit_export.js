// A form that downloads what the page shows. An answer that is a page is no file: it says that none was made.
export default function ({ data, parentElement }) {
  const form = parentElement.querySelector("form");
  const alert = parentElement.querySelector("[role=alert]");
  const fields = form.querySelector("span");
  fields.replaceChildren(
    ...Object.entries(data.fields).map(([name, value]) => {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      return field;
    }),
  );
  let sent = false;
  form.onsubmit = () => {
    sent = true;
    alert.hidden = true;
  };
  parentElement.querySelector("iframe").onload = () => {
    alert.hidden = !sent;
  };
}
