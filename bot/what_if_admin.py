"""Try it: the tier editor's form, as it was typed, beside the last days. Nothing is saved here."""

from typing import Any, cast

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm, all_valid
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from accounts.models import Limit, Tier
from bot import what_if

# Names of the buttons; the first says how many days.
TRY, EDIT = "_try", "_edit"
USUAL_DAYS = 30


class TriedFirst(ModelAdmin):
    """An editor of tiers whose draft can be tried before it is saved, and edited further."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A draft that is wrong comes back with its errors, as when it is saved."""
        if request.method == "POST" and TRY in request.POST and object_id:
            tier = self.get_object(request, unquote(object_id))
            if tier is None or not self.has_change_permission(request, tier):
                raise PermissionDenied
            drafted = self._draft(request, tier)
            if drafted is not None:
                return self._tried(request, tier, drafted)
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra_context))

    def get_form(
        self, request: HttpRequest, obj: Tier | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form: type[ModelForm] = super().get_form(request, obj, change=change, **kwargs)
        if EDIT in request.POST:
            # Shown as it was typed, and not saved.
            return type(form.__name__, (form,), {"is_valid": lambda self: False})
        return form

    def _draft(self, request: HttpRequest, tier: Tier) -> list[Limit] | None:
        """The limits as they were typed, on a tier that has what was typed; None where something is wrong."""
        slug = tier.slug
        form = self.get_form(request, tier, change=True)(request.POST, instance=tier)
        formsets, _ = self._create_formsets(request, form.instance, change=True)
        # Both are asked, so that both have taken what was typed.
        if not all([form.is_valid(), all_valid(formsets)]):
            return None
        # The ledger knows the tier by the name it has had.
        tier.slug = slug
        [limits] = formsets
        typed = [one for one in limits.forms if one.instance.pk or one.has_changed()]
        return [one.instance for one in typed if one not in limits.deleted_forms]

    def _tried(self, request: HttpRequest, tier: Tier, draft: list[Limit]) -> HttpResponse:
        asked = request.POST[TRY]
        days = int(asked) if asked in map(str, what_if.DAYS) else USUAL_DAYS
        typed = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if not name.startswith("_") and name != "csrfmiddlewaretoken"
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": f"What if: {tier.name}",
            "tier": tier,
            "typed": typed,
            "choices": what_if.DAYS,
            "found": what_if.compare(tier, draft, days),
        }
        return TemplateResponse(request, "admin/what_if.html", context)
