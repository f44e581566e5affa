"""Changing DATA_KEYS: what is sealed follows to the newest key, nothing is lost, and old keys can go."""

from collections.abc import Iterator
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from accounts import audit, identity, keys, rotation, sealing
from accounts.models import AuditEntry, Customer, DeploymentKey, Site
from bot.models import Conversation, Message, Provider

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def data_keys(settings) -> Iterator[object]:
    """Set DATA_KEYS, as a restart of the process does."""

    def use(*chosen: str) -> None:
        settings.DATA_KEYS = list(chosen)
        sealing._master.cache_clear()
        keys.key.cache_clear()

    DeploymentKey.objects.all().delete()
    use(OLD)
    yield use
    sealing._master.cache_clear()
    keys.key.cache_clear()


@pytest.fixture
def sealed(data_keys, site: Site) -> Conversation:
    """One value in every column, under the old key."""
    site.rotate_secret("first secret of the site")
    site.rotate_secret("second secret of the site")
    site.save()
    customer = identity.verified(site, identity.Identity("alice", "alice@example.com", "Alice Moss", None))
    customer.sealed_contact = sealing.seal("other@example.com")
    customer.save()
    provider = Provider(name="one", base_url="http://127.0.0.1:9/v1")
    provider.key = "sk-secret"
    provider.save()
    conversation = Conversation.objects.create(site=site, customer=customer)
    text = Fernet(conversation.data_key).encrypt(b"what was said")
    Message.objects.create(conversation=conversation, author="customer", sealed=text)
    audit.record(None, "site_secret", "site:demo", reason="rotated")
    return conversation


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("rotate_data_keys", *arguments, stdout=said)
    return said.getvalue()


def readable() -> list[str]:
    site, customer, conversation = Site.objects.get(), Customer.objects.get(), Conversation.objects.get()
    keys.key.cache_clear()
    message = Fernet(conversation.data_key).decrypt(bytes(Message.objects.get().sealed)).decode()
    entry = AuditEntry.objects.get(action="site_secret")
    who = [customer.external_id, customer.name, customer.email, customer.contact]
    return [*site.secrets, *who, Provider.objects.get().key, message, audit.reason(entry)]


def test_every_sealed_column_is_in_one_of_the_tables() -> None:
    tables = [*rotation.UNDER_DATA_KEYS.items(), *rotation.UNDER_OTHER_KEYS.items()]
    listed = sorted(f"{label}.{name}" for label, names in tables for name in names)
    found = [
        f"{model._meta.label}.{column.name}"
        for app in ("accounts", "bot")
        for model in apps.get_app_config(app).get_models()
        for column in model._meta.get_fields()
        if isinstance(column, models.BinaryField)
    ]
    assert sorted(found) == listed


def test_what_data_keys_seal_is_what_the_first_table_says(sealed: Conversation) -> None:
    for seen in rotation.survey():
        assert set(seen.by_key) == {0}, seen.column
    for label, names in rotation.UNDER_OTHER_KEYS.items():
        for name in names:
            rows = apps.get_model(label)._default_manager.exclude(**{name: b""}).values_list(name, flat=True)
            assert all(sealing.opened_by(value) is None for value in rows), f"{label}.{name}"


def test_all_opens_with_the_new_key_alone(sealed: Conversation, data_keys) -> None:
    before = readable()
    data_keys(NEW, OLD)
    said = run()
    assert "bot.Conversation.wrapped_key: 1, moved 1" in said
    assert "The newest key alone opens every value." in said
    assert sealing.key_marks()[1] in said.splitlines()[-1]
    assert OLD not in said
    assert NEW not in said
    data_keys(NEW)
    assert readable() == before
    assert audit.verify().wrong is None
    assert AuditEntry.objects.order_by("-number")[0].action == "rotate_keys"


def test_running_again_moves_nothing(sealed: Conversation, data_keys) -> None:
    data_keys(NEW, OLD)
    run()
    entries = AuditEntry.objects.count()
    assert all(seen.moved == 0 for seen in rotation.rotate())
    run()
    assert AuditEntry.objects.count() == entries


def test_a_run_that_was_cut_short_goes_on(sealed: Conversation, data_keys) -> None:
    data_keys(NEW, OLD)
    begun = rotation.rotate()
    assert next(begun).moved == 1
    begun.close()
    with pytest.raises(CommandError, match="Older keys are still needed"):
        run("--check")
    run()
    data_keys(NEW)
    assert "The newest key alone" in run("--check")


def test_check_changes_nothing(sealed: Conversation, data_keys) -> None:
    data_keys(NEW, OLD)
    with pytest.raises(CommandError, match="Older keys are still needed"):
        run("--check")
    data_keys(OLD)
    assert len(readable()) == 9


def test_what_somebody_writes_meanwhile_is_kept(
    sealed: Conversation, data_keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_keys(NEW, OLD)
    resealed = sealing.resealed

    def while_somebody_writes(value: bytes) -> bytes:
        if sealing.unseal(value) == "Alice Moss":
            Customer.objects.update(sealed_name=sealing.seal("Alice Ash"))
        return resealed(value)

    monkeypatch.setattr(sealing, "resealed", while_somebody_writes)
    run()
    assert Customer.objects.get().name == "Alice Ash"


def test_a_value_that_no_key_opens_is_told(sealed: Conversation, data_keys) -> None:
    Customer.objects.update(sealed_name=b"not ours")
    data_keys(NEW, OLD)
    with pytest.raises(CommandError, match="1 values are opened by none"):
        run()
    data_keys(NEW)
    assert Provider.objects.get().key == "sk-secret"


def test_more_rows_than_a_batch_are_all_moved(
    sealed: Conversation, data_keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    site = Site.objects.get()
    for number in range(5):
        identity.known_as(site, f"customer-{number}")
    data_keys(NEW, OLD)
    moved = {seen.column: seen.moved for seen in rotation.rotate()}
    assert moved["accounts.Customer.sealed_sub"] == 6
    data_keys(NEW)
    assert all(set(seen.by_key) <= {0} for seen in rotation.survey())


def test_start_is_stopped_when_the_keys_open_nothing(sealed: Conversation, data_keys) -> None:
    keys.check()
    data_keys(NEW, OLD)
    keys.check()
    data_keys(NEW)
    with pytest.raises(keys.WrongKeys, match="DATA_KEYS"):
        keys.check()
