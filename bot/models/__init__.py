from bot.models.catalogue import Model, Provider
from bot.models.conversation import Conversation, Message, ToolCall, Turn, VaultEntry, group_of
from bot.models.knowledge import Article, CannedQuestion, CannedReply, Passage

__all__ = [
    "Article",
    "CannedQuestion",
    "CannedReply",
    "Conversation",
    "Message",
    "Model",
    "Passage",
    "Provider",
    "ToolCall",
    "Turn",
    "VaultEntry",
    "group_of",
]
