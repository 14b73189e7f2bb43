import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0004_segment_counts')]

    operations = [
        migrations.AddField(
            model_name='customevent',
            name='app_id',
            field=models.CharField(blank=True, editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name='purchase',
            name='app_id',
            field=models.CharField(blank=True, editable=False, max_length=255),
        ),
        migrations.CreateModel(
            name='CurrencyRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(help_text='ISO 4217, for example EUR.', max_length=3, unique=True, verbose_name='currency')),
                ('rate', models.DecimalField(decimal_places=10, max_digits=20, verbose_name='rate')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
            ],
            options={
                'verbose_name': 'currency rate',
                'verbose_name_plural': 'currency rates',
                'ordering': ['code'],
                'constraints': [models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='currency_rate_positive')],
            },
        ),
        migrations.CreateModel(
            name='EventName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('event', 'custom event'), ('product', 'product')], max_length=8, verbose_name='kind')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('is_blocked', models.BooleanField(default=False, help_text='New occurrences are refused, and filters no longer offer it.', verbose_name='blocked')),
                ('description', models.CharField(blank=True, max_length=255, verbose_name='description')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first seen')),
            ],
            options={
                'verbose_name': 'event name',
                'verbose_name_plural': 'event names',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'name'), name='event_name_once')],
            },
        ),
        migrations.CreateModel(
            name='EventSummary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('event', 'custom event'), ('purchase', 'purchase'), ('product', 'product'), ('currency', 'currency')], max_length=8)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('count', models.BigIntegerField(default=0)),
                ('amount', models.DecimalField(decimal_places=4, default=0, max_digits=24)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('profile', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='summaries', to='audience.profile')),
            ],
            options={
                'verbose_name': 'event summary',
                'verbose_name_plural': 'event summaries',
                'indexes': [models.Index(fields=['kind', 'name', 'last_at'], name='event_summary_by_name')],
                'constraints': [models.UniqueConstraint(fields=('profile', 'kind', 'name'), name='event_summary_once')],
            },
        ),
    ]
