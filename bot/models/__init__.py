from bot.models.catalogue import Model, Price, Provider
from bot.models.conversation import Conversation, Message, ToolCall, Turn, VaultEntry, group_of
from bot.models.knowledge import Article, CannedQuestion, CannedReply, Passage
from bot.models.operations import Alert, RetentionRun

__all__ = [
    "Alert",
    "Article",
    "CannedQuestion",
    "CannedReply",
    "Conversation",
    "Message",
    "Model",
    "Passage",
    "Price",
    "Provider",
    "RetentionRun",
    "ToolCall",
    "Turn",
    "VaultEntry",
    "group_of",
]
