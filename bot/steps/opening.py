"""A claimed turn with whose it is: conversation, customer, site and tier, by one statement."""

from uuid import UUID

from django.db import connection

from accounts.models import Customer, Site, Tier
from bot.models import Conversation, Turn
from bot.models.rows import columns, made

_OPEN = f"""
SELECT {columns("turn", Turn)}, {columns("conversation", Conversation)},
       {columns("customer", Customer)}, {columns("site", Site)}, {columns("tier", Tier)}
  FROM bot_turn turn
  JOIN bot_conversation conversation ON conversation.id = turn.conversation_id
  JOIN accounts_customer customer ON customer.id = conversation.customer_id
  JOIN accounts_site site ON site.id = conversation.site_id
  JOIN accounts_tier tier
    ON tier.id = coalesce(
        CASE WHEN customer.tier_until IS NULL OR customer.tier_until > now() THEN customer.tier_id END,
        customer.token_tier_id, site.default_tier_id)
 WHERE turn.id = %s
"""  # noqa: S608  column names of ours


def opened(turn_id: UUID) -> Turn:
    """The turn; to ask it for its conversation, customer, site and effective tier costs nothing any more."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [turn_id])
        row = cursor.fetchone()
    if row is None:
        raise Turn.DoesNotExist
    values = iter(row)
    turn, conversation, customer = made(Turn, values), made(Conversation, values), made(Customer, values)
    site, tier = made(Site, values), made(Tier, values)
    turn.conversation, conversation.customer = conversation, customer
    conversation.site = customer.site = site
    if tier.id == customer.tier_id:
        customer.tier = tier
    if tier.id == customer.token_tier_id:
        customer.token_tier = tier
    if tier.id == site.default_tier_id:
        site.default_tier = tier
    return turn
