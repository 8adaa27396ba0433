"""HTML from templates, in which every value is escaped unless the template says otherwise; none does."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.environment import TemplateModule
from markupsafe import Markup

from pages.rendering.escaping import html_text
from services.text.file_names import shown_name


def _exact(value: Any) -> Any:
    """Texts escaped with their white space; what is HTML already, or no text, as it is."""
    return Markup(html_text(value)) if type(value) is str else value  # noqa: S704


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    finalize=_exact,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["file_name"] = shown_name


def render(name: str, **values: object) -> str:
    """The template beside this file with these values; a value that is not given is an error."""
    return _environment.get_template(name).render(values)


def pieces(name: str, **values: object) -> TemplateModule:
    """The template's macros with these values at hand, to be called one by one."""
    return _environment.get_template(name).make_module(values)
