"""Whether all spending is stopped, for the banner of admin and desk."""

from django import template

from accounts import spending
from accounts.models import Deployment

register = template.Library()


@register.simple_tag
def stopped_spending() -> Deployment | None:
    """Who stopped it, when and why."""
    return spending.stopped()
