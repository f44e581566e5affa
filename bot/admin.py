"""The admin's pages for what the bot knows and which models it asks."""

from contextlib import closing
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import connection, transaction
from django.db.models import F
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.audit_admin import Audited
from accounts.ledger_admin import Ledger
from bot import queue
from bot.customer_admin import CustomerAdmin
from bot.desk import alert_words, nights
from bot.forms import ArticleForm, CannedReplyForm, ProviderForm
from bot.grant_admin import GrantAdmin
from bot.ledger_admin import HoldAdmin, UsageEntryAdmin, WindowAdmin
from bot.llm.errors import UpstreamError
from bot.llm.openai_compatible import OpenAICompatible
from bot.models import Alert, Article, CannedReply, Model, Provider, RetentionRun
from bot.price_admin import PriceAdmin, in_force
from bot.tier_admin import TierAdmin

__all__ = [
    "CustomerAdmin",
    "GrantAdmin",
    "HoldAdmin",
    "PriceAdmin",
    "TierAdmin",
    "UsageEntryAdmin",
    "WindowAdmin",
]  # Django finds only modules that are called admin
