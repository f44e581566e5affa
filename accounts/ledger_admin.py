"""How the admin shows books: they are read, not written."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class Ledger(ModelAdmin):
    """Books are read, not corrected."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
