import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import migrations, models


# From before the first call that a ledger may know.
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


def keep_prices(apps: Any, schema_editor: Any) -> None:
    """What was paid for a model goes on being paid."""
    for model in apps.get_model("bot", "Model").objects.order_by("id"):
        paid = {"input": model.input_price, "cached": model.cached_price, "output": model.output_price}
        if any(price is not None for price in paid.values()):
            apps.get_model("bot", "Price").objects.get_or_create(
                provider=model.provider, model=model.name, starts_at=ALWAYS, defaults=paid
            )


class Migration(migrations.Migration):

    dependencies = [
        ('bot', '0003_retention'),
        ('accounts', '0004_limits'),
    ]

    operations = [
        migrations.AlterField(
            model_name='turn',
            name='reason',
            field=models.CharField(blank=True, help_text='Why this rung or model.', max_length=160),
        ),
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(help_text='As the provider spells it.', max_length=100)),
                ('starts_at', models.DateTimeField(default=django.utils.timezone.now, help_text='From when on it holds.')),
                ('input', models.DecimalField(blank=True, decimal_places=12, help_text='US dollars for a million tokens read; empty: the public list price.', max_digits=20, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('cached', models.DecimalField(blank=True, decimal_places=12, help_text="US dollars for a million tokens read from the provider's cache; empty: the public list price.", max_digits=20, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('output', models.DecimalField(blank=True, decimal_places=12, help_text='US dollars for a million tokens written; empty: the public list price.', max_digits=20, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('call', models.DecimalField(blank=True, decimal_places=12, help_text='US dollars for one call, beside its tokens; empty: the public list price.', max_digits=20, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('note', models.CharField(blank=True, help_text='Such as the number of the contract.', max_length=200)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='bot.provider')),
            ],
            options={
                'ordering': ['provider', 'model', '-starts_at'],
                'constraints': [models.UniqueConstraint(fields=('provider', 'model', 'starts_at'), name='one_price_at_a_time')],
            },
        ),
        migrations.RunPython(keep_prices, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='model',
            name='cached_price',
        ),
        migrations.RemoveField(
            model_name='model',
            name='input_price',
        ),
        migrations.RemoveField(
            model_name='model',
            name='output_price',
        ),
    ]
