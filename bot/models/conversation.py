"""What is said and done: conversation, message, turn, tool call, and the vault of placeholders."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts import sealing
from accounts.models import LOCALES, Customer, Site


class Conversation(models.Model):
    """One thread of one customer; at most one is open at a time."""

    class Handler(models.TextChoices):
        BOT = "bot"
        QUEUE = "queue", "waiting for a person"
        PERSON = "person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="conversations")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="conversations")
    handler = models.CharField(max_length=10, choices=Handler.choices, default=Handler.BOT)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="conversations",
    )
    handover_reason = models.CharField(max_length=30, blank=True)
    locale = models.CharField(max_length=5, choices=LOCALES, default="en")
    wrapped_key = models.BinaryField(default=sealing.new_data_key, editable=False)
    opened_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(auto_now_add=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(
        null=True, blank=True, help_text="What was said and its key were deleted; numbers stay."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(closed_at__isnull=True), name="one_open_conversation"
            ),
            models.CheckConstraint(
                condition=Q(handler="person", agent__isnull=False) | ~Q(handler="person"),
                name="a_person_has_a_name",
            ),
        ]
        indexes = [models.Index(fields=["-active_at"], name="conversations_by_activity")]

    def __str__(self) -> str:
        return f"conversation {str(self.id)[:8]}"

    @property
    def data_key(self) -> bytes:
        return sealing.open_data_key(self.wrapped_key)

    @property
    def group(self) -> str:
        """The channel group of everybody who watches this conversation."""
        return group_of(self.id)


def group_of(conversation: uuid.UUID) -> str:
    return f"conversation.{conversation.hex}"


class Turn(models.Model):
    """The work from accepted customer message(s) to exactly one reply."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"

    class Outcome(models.TextChoices):
        ANSWERED = "answered"
        DEGRADED = "degraded"
        AWAITING_APPROVAL = "awaiting_approval"
        STOPPED = "stopped"
        HANDED_OVER = "handed_over"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    outcome = models.CharField(
        max_length=20,
        choices=Outcome.choices,
        blank=True,
        help_text="How it ended; while it runs, how whoever raised the fence wants it to end.",
    )
    attempt = models.PositiveSmallIntegerField(default=0, help_text="The fence: only this attempt may write.")
    lease_until = models.DateTimeField(null=True, blank=True)
    losses = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Attempts whose worker was lost."
    )
    rank = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Of the customer's tier: higher ones first."
    )
    deferred = models.BooleanField(
        default=False, db_default=False, help_text="Answered in short; the real answer comes later."
    )
    answers = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="answered_by",
        help_text="The deferred turn whose real answer this one delivers.",
    )
    source = models.CharField(max_length=10, blank=True, help_text="The rung that answered.")
    model = models.CharField(max_length=100, blank=True)
    model_class = models.CharField(max_length=10, blank=True)
    reason = models.CharField(max_length=160, blank=True, help_text="Why this rung or model.")
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=20, decimal_places=12, null=True, blank=True)
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    first_text_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(state="running"), name="one_running_turn"
            ),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(state="queued"), name="one_queued_turn"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "queued_at"], condition=~Q(state="done"), name="turns_under_way"),
        ]

    def __str__(self) -> str:
        return f"turn {str(self.id)[:8]} ({self.outcome or self.state})"


class Message(models.Model):
    """One thing said. `sealed` is the text as said; `masked` is the same with placeholders, once scrubbed."""

    class Author(models.TextChoices):
        CUSTOMER = "customer"
        BOT = "bot"
        AGENT = "agent"
        SYSTEM = "system"

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    author = models.CharField(max_length=10, choices=Author.choices)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    turn = models.ForeignKey(Turn, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    sealed = models.BinaryField(default=b"", editable=False, help_text="Empty where masked says it all.")
    masked = models.TextField(null=True, blank=True, help_text="Empty: not yet scrubbed.")  # noqa: DJ001
    source = models.CharField(max_length=10, blank=True)
    cards = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, blank=True)
    rating = models.SmallIntegerField(null=True, blank=True)
    sealed_comment = models.BinaryField(default=b"", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "uuid"], name="one_message_per_client_uuid"),
            models.UniqueConstraint(fields=["turn"], condition=Q(author="bot"), name="one_reply_per_turn"),
        ]

    def __str__(self) -> str:
        return f"message {str(self.uuid)[:8]} by {self.author}"


class ToolCall(models.Model):
    """One use of a tool. Arguments and result hold placeholders; `started` without result is never rerun."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        APPROVED = "approved"
        STARTED = "started"
        DONE = "done"
        FAILED = "failed"
        DECLINED = "declined"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tool_calls")
    call = models.CharField(max_length=100, help_text="The model's own id of the call.")
    name = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    result = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices)
    title = models.CharField(max_length=200, blank=True)
    lines = models.JSONField(default=list, blank=True)
    carried_by = models.ForeignKey(
        Turn,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="carries",
        help_text="Does the change.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "call"], name="one_row_per_tool_call")]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class VaultEntry(models.Model):
    """One private value of a conversation and the placeholder that stands for it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="vault")
    kind = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()
    digest = models.BinaryField(help_text="Keyed digest of the normalised value.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "kind", "number"], name="one_value_per_placeholder"
            ),
            models.UniqueConstraint(fields=["conversation", "digest"], name="one_placeholder_per_value"),
        ]

    def __str__(self) -> str:
        return f"<{self.kind}_{self.number}>"
