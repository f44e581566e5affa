import accounts.models.tiers
import django.core.validators
import django.db.models.deletion
import uuid
from decimal import Decimal
from pathlib import Path

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


FUNCTIONS = Path(__file__).with_name("0004_ledger.sql")
DROP_FUNCTIONS = """
DROP FUNCTION accounts_hold_quota, accounts_end_quota, accounts_expire_quota, accounts_lock_uses, accounts_open_window,
    accounts_hold_grants, accounts_grants_free, accounts_in_force, accounts_counted_by;
DROP TYPE accounts_claim
"""

# The class that answered first, then whatever is cheaper.
KEEP_CLASSES = """
UPDATE accounts_tier SET classes = CASE model_class
    WHEN 'reasoning' THEN '{reasoning,large,small}'::varchar[]
    WHEN 'large' THEN '{large,small}'::varchar[]
    ELSE '{small}'::varchar[] END
"""
NUMBER_WINDOWS = "UPDATE accounts_window SET number = extract(epoch FROM starts_at)::bigint"
# A customer who had two tiers on one day has two windows of it: the fuller one goes on, the other is kept.
SHARE_WINDOWS = """
UPDATE accounts_window w SET rule = 'messages:any:day'
 WHERE rule = 'anonymous-address' OR rule LIKE 'limit:%' AND id = (
     SELECT id FROM accounts_window other
      WHERE (other.subject, other.starts_at) = (w.subject, w.starts_at) AND other.rule LIKE 'limit:%'
      ORDER BY settled + held DESC, id LIMIT 1)
"""
KEEP_OTHERS = "UPDATE accounts_window SET rule = 'messages:any:day:' || rule WHERE rule LIKE 'limit:%'"
NAME_HOLDS = """
UPDATE accounts_hold h SET turn = use, settled = CASE WHEN state = 'settled' THEN amount ELSE 0 END,
       customer = coalesce((
           SELECT substr(w.subject, 10)::uuid FROM accounts_hold other
             JOIN accounts_window w ON w.id = other.window_id
            WHERE other.use = h.use AND w.subject LIKE 'customer:%' LIMIT 1), customer)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_may_reveal_says_more'),
    ]

    operations = [
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('time_zone', models.CharField(default='UTC', help_text='In which days, weeks and months begin, such as Europe/Berlin.', max_length=60)),
                ('stopped_at', models.DateTimeField(blank=True, help_text='Since then no model is asked.', null=True)),
                ('stopped_by', models.CharField(blank=True, max_length=100)),
                ('stop_reason', models.CharField(blank=True, max_length=200)),
                ('daily_mail', models.BooleanField(default=True, help_text='Tell the admins every morning what was spent.')),
            ],
            options={
                'verbose_name_plural': 'deployment',
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('customer', models.UUIDField()),
                ('kind', models.CharField(choices=[('credit', 'prepaid credit'), ('extra', 'extra allowance')], default='extra', max_length=10)),
                ('metric', models.CharField(choices=[('messages', 'messages answered by a model'), ('input_tokens', 'tokens read by models'), ('output_tokens', 'tokens written by models'), ('total_tokens', 'tokens in all'), ('money', 'US dollars'), ('actions', 'tool actions')], default='messages', max_length=20)),
                ('model_class', models.CharField(blank=True, choices=[('small', 'small'), ('large', 'large'), ('reasoning', 'reasoning')], help_text='Empty: all classes.', max_length=10)),
                ('amount', models.DecimalField(decimal_places=12, max_digits=28)),
                ('held', models.DecimalField(decimal_places=12, default=0, max_digits=28)),
                ('settled', models.DecimalField(decimal_places=12, default=0, max_digits=28)),
                ('overrun', models.DecimalField(decimal_places=12, default=0, max_digits=28)),
                ('expires_at', models.DateTimeField(help_text='What is left then is gone.')),
                ('reason', models.CharField(max_length=200)),
                ('given_by', models.CharField(help_text='Who gave it, by name.', max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['expires_at', 'id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='limit',
            name='one_limit_per_metric_and_period',
        ),
        migrations.RemoveConstraint(
            model_name='window',
            name='one_window_per_period',
        ),
        migrations.AddField(
            model_name='customer',
            name='tier_until',
            field=models.DateTimeField(blank=True, help_text='When the tier given by hand ends; empty: never.', null=True, verbose_name='until'),
        ),
        migrations.AddField(
            model_name='hold',
            name='customer',
            field=models.UUIDField(default='00000000-0000-0000-0000-000000000000'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='hold',
            name='late',
            field=models.BooleanField(default=False, help_text='Settled when it was not held any more.'),
        ),
        migrations.AddField(
            model_name='hold',
            name='metric',
            field=models.CharField(default='messages', max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='hold',
            name='overrun',
            field=models.DecimalField(decimal_places=12, default=0, max_digits=28),
        ),
        migrations.AddField(
            model_name='hold',
            name='settled',
            field=models.DecimalField(decimal_places=12, default=0, help_text='What was used in the end.', max_digits=28),
        ),
        migrations.AddField(
            model_name='hold',
            name='turn',
            field=models.UUIDField(db_index=True, default='00000000-0000-0000-0000-000000000000'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='limit',
            name='hours',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Of a window that begins with the first use.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(8784)]),
        ),
        migrations.AddField(
            model_name='limit',
            name='model',
            field=models.CharField(blank=True, help_text='One model, as its provider spells it; empty: all.', max_length=100),
        ),
        migrations.AddField(
            model_name='limit',
            name='model_class',
            field=models.CharField(blank=True, choices=[('small', 'small'), ('large', 'large'), ('reasoning', 'reasoning')], help_text='Empty: all classes.', max_length=10),
        ),
        migrations.AddField(
            model_name='limit',
            name='scope',
            field=models.CharField(choices=[('customer', 'each customer of the tier'), ('tier', 'the tier together'), ('address', 'the anonymous visitors of each network address'), ('site', 'the site together'), ('deployment', 'everybody together')], default='customer', max_length=10),
        ),
        migrations.AddField(
            model_name='limit',
            name='site',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='limits', to='accounts.site'),
        ),
        migrations.AddField(
            model_name='limit',
            name='warn_at',
            field=models.JSONField(blank=True, default=list, help_text='Percents at which the admins are told.', validators=[accounts.models.tiers.check_thresholds]),
        ),
        migrations.AddField(
            model_name='limit',
            name='week_starts',
            field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0, help_text='First day of a week.'),
        ),
        migrations.AddField(
            model_name='limit',
            name='when_full',
            field=models.CharField(choices=[('next', 'the next cheaper class answers'), ('degrade', 'degraded: an answer without a model'), ('text', 'degraded, with a text of your own')], default='degrade', max_length=10),
        ),
        migrations.AddField(
            model_name='limit',
            name='words',
            field=models.JSONField(blank=True, default=dict, help_text='The text of your own: {"en": "…", "zh": "…"}'),
        ),
        migrations.AddField(
            model_name='tier',
            name='answer_tokens',
            field=models.PositiveIntegerField(blank=True, help_text="Longest answer; empty: the model's.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tier',
            name='classes',
            field=ArrayField(models.CharField(max_length=10), default=accounts.models.tiers.smallest, help_text='Classes it may use, in the order of preference.', validators=[accounts.models.tiers.check_classes], size=None),
        ),
        migrations.AddField(
            model_name='tier',
            name='pick',
            field=models.CharField(choices=[('cheapest', 'the cheapest class that can do the job'), ('first', 'always the first class that has room')], default='first', max_length=10),
        ),
        migrations.AddField(
            model_name='tier',
            name='prompt_tokens',
            field=models.PositiveIntegerField(blank=True, help_text="Longest prompt; empty: the model's.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tier',
            name='question_characters',
            field=models.PositiveIntegerField(blank=True, help_text="Longest message; empty: the deployment's.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tier',
            name='rounds',
            field=models.PositiveIntegerField(blank=True, help_text="How often a model is asked in one turn; empty: the deployment's.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tier',
            name='turn_cost',
            field=models.DecimalField(blank=True, decimal_places=12, help_text="US dollars that one turn may cost; empty: the deployment's.", max_digits=20, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0.000001'))]),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='cached_price',
            field=models.DecimalField(decimal_places=12, help_text='For a million cached tokens.', max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='call_price',
            field=models.DecimalField(decimal_places=12, help_text='For the call itself.', max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='input_price',
            field=models.DecimalField(decimal_places=12, help_text='For a million fresh tokens, as it was charged.', max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='output_price',
            field=models.DecimalField(decimal_places=12, help_text='For a million produced tokens.', max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='price_source',
            field=models.CharField(blank=True, help_text='list, own, or empty: unknown.', max_length=10),
        ),
        migrations.AddField(
            model_name='window',
            name='number',
            field=models.BigIntegerField(default=0, help_text='Which period: when it began, in seconds since 1970; from first use: 1, 2, 3.'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='window',
            name='usual',
            field=models.DecimalField(db_default=0, decimal_places=12, default=0, help_text='What was last held: one more use may take as much.', max_digits=28),
        ),
        migrations.AlterField(
            model_name='hold',
            name='amount',
            field=models.DecimalField(decimal_places=12, help_text='What was reserved.', max_digits=28),
        ),
        migrations.AlterField(
            model_name='hold',
            name='use',
            field=models.UUIDField(help_text="What it is held for: a turn's message, an upstream call, a tool action."),
        ),
        migrations.AlterField(
            model_name='hold',
            name='window',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='accounts.window'),
        ),
        migrations.AlterField(
            model_name='limit',
            name='amount',
            field=models.DecimalField(decimal_places=6, max_digits=20, validators=[django.core.validators.MinValueValidator(Decimal('0'))]),
        ),
        migrations.AlterField(
            model_name='limit',
            name='metric',
            field=models.CharField(choices=[('messages', 'messages answered by a model'), ('input_tokens', 'tokens read by models'), ('output_tokens', 'tokens written by models'), ('total_tokens', 'tokens in all'), ('money', 'US dollars'), ('actions', 'tool actions')], default='messages', max_length=20),
        ),
        migrations.AlterField(
            model_name='limit',
            name='period',
            field=models.CharField(choices=[('minute', 'a minute'), ('hour', 'an hour'), ('first_use', 'hours from first use'), ('day', 'a day'), ('week', 'a week'), ('month', 'a month')], default='day', max_length=10),
        ),
        migrations.AlterField(
            model_name='limit',
            name='tier',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='limits', to='accounts.tier'),
        ),
        migrations.AlterField(
            model_name='window',
            name='held',
            field=models.DecimalField(decimal_places=12, default=0, max_digits=28),
        ),
        migrations.AlterField(
            model_name='window',
            name='overrun',
            field=models.DecimalField(decimal_places=12, default=0, help_text='By how much settled went past what was held.', max_digits=28),
        ),
        migrations.AlterField(
            model_name='window',
            name='rule',
            field=models.CharField(help_text='What is counted: messages:any:day.', max_length=160),
        ),
        migrations.AlterField(
            model_name='window',
            name='settled',
            field=models.DecimalField(decimal_places=12, default=0, max_digits=28),
        ),
        migrations.AlterField(
            model_name='window',
            name='subject',
            field=models.CharField(help_text='Such as customer:<uuid>, site:<key> or deployment.', max_length=80),
        ),
        migrations.RunSQL([KEEP_CLASSES, NUMBER_WINDOWS, SHARE_WINDOWS, KEEP_OTHERS, NAME_HOLDS], migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='tier',
            name='model_class',
        ),
        migrations.AddIndex(
            model_name='window',
            index=models.Index(fields=['ends_at'], name='windows_by_end'),
        ),
        migrations.AddConstraint(
            model_name='limit',
            constraint=models.UniqueConstraint(fields=('scope', 'tier', 'site', 'metric', 'model_class', 'model', 'period', 'hours', 'week_starts'), name='one_limit_of_a_kind', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='limit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('scope__in', ['customer', 'tier']), ('site__isnull', True), ('tier__isnull', False)), models.Q(('scope', 'site'), ('site__isnull', False), ('tier__isnull', True)), models.Q(('scope', 'address'), ('tier__isnull', True)), models.Q(('scope', 'deployment'), ('site__isnull', True), ('tier__isnull', True)), _connector='OR'), name='a_limit_is_somebodys'),
        ),
        migrations.AddConstraint(
            model_name='limit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hours__isnull', False), ('period', 'first_use')), models.Q(models.Q(('period', 'first_use'), _negated=True), ('hours__isnull', True)), _connector='OR'), name='hours_from_first_use'),
        ),
        migrations.AddConstraint(
            model_name='limit',
            constraint=models.CheckConstraint(condition=models.Q(('model_class', ''), ('model', ''), _connector='OR'), name='a_class_or_one_model'),
        ),
        migrations.AddConstraint(
            model_name='window',
            constraint=models.UniqueConstraint(fields=('rule', 'subject', 'number'), name='one_window_per_period'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='one_deployment'),
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(fields=['customer', 'expires_at'], name='grants_by_customer'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('held__gte', 0)), name='grant_held_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('settled__gte', 0)), name='grant_settled_is_not_negative'),
        ),
        migrations.AddField(
            model_name='hold',
            name='grant',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='accounts.grant'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.UniqueConstraint(fields=('use', 'grant'), name='one_hold_per_use_and_grant'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('grant__isnull', True), ('window__isnull', False)), models.Q(('grant__isnull', False), ('window__isnull', True)), _connector='OR'), name='held_in_a_window_or_a_grant'),
        ),
        migrations.RunSQL(FUNCTIONS.read_text(), DROP_FUNCTIONS),
    ]
