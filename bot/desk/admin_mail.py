"""E-mails to all admins, in text and HTML."""

from typing import Any

from django.core import mail
from django.db import connection
from django.template.loader import render_to_string

from accounts.models import User

_SECONDS = 10


def admins() -> list[str]:
    """Where those who administer read their mail."""
    active = User.objects.filter(role=User.Role.ADMIN, is_active=True)
    return list(active.order_by("id").values_list("email", flat=True))


def send(subject: str, template: str, facts: dict[str, Any], to: list[str]) -> bool:
    """One e-mail to all of them; False when there are none. Raises OSError, of which SMTPException is one."""
    if not to:
        return False
    message = mail.EmailMultiAlternatives(
        subject=f"[Frontdesk] {subject}",
        body=render_to_string(f"emails/{template}.txt", facts),
        to=to,
        connection=mail.get_connection(timeout=_SECONDS),
    )
    message.attach_alternative(render_to_string(f"emails/{template}.html", facts), "text/html")
    if not connection.in_atomic_block:
        # Nobody else should wait for this connection while we wait for the mail server.
        connection.close()
    return bool(message.send())
