"""HTML from templates, in which every value is escaped unless the template says otherwise; none does."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.environment import TemplateModule
from markupsafe import Markup

from pages.rendering.escaping import html_text
from services.text.file_names import shown_name


def _exact(value: Any) -> Any:
    """Escape texts with their white space; return HTML, and values other than texts, unchanged."""
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
    """Render the template of this name with these values; a missing value is an error."""
    return _environment.get_template(name).render(values)


def pieces(name: str, **values: object) -> TemplateModule:
    """The template's macros, which use these values, to be called one by one."""
    return _environment.get_template(name).make_module(values)
