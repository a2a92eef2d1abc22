"""How values look: the view's half of the models."""

import math

from django import template

register = template.Library()


@register.filter
def stars(number):
    """Five stars, as many of them full. Half a star counts as one, as `floatformat` has it."""
    full = math.floor((number or 0) + 0.5)
    return "★" * full + "☆" * (5 - full)


@register.filter
def euros(cents):
    return f"{cents // 100}.{cents % 100:02} €"


@register.filter
def picture(product):
    """The file of a product's picture."""
    known = {"Tea": "tea", "Frame": "frame", "Stamp": "stamp"}
    return f"store/{known.get(product.name, 'envelope')}.svg"


@register.filter
def described_by(field):
    """The ids of what describes a field."""
    parts = [("hint", field.help_text), ("error", field.errors)]
    return " ".join(f"{field.html_name}-{part}" for part, there in parts if there)


@register.filter
def shown(field):
    """What a field's input shows: what was typed, unless that is a password."""
    value = field.value()
    return "" if value is None or field.widget_type == "password" else value


@register.filter
def autocomplete(field):
    return getattr(field.field, "autocomplete", "off")


@register.filter
def is_chosen(field, stars):
    return str(field.value()) == stars
