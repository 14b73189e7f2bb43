import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0005_event_summaries')]

    operations = [
        migrations.CreateModel(
            name='SubscriptionGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=255, unique=True, verbose_name='name')),
                ('description', models.CharField(blank=True, max_length=255, verbose_name='description')),
                ('channel', models.CharField(default='webhook', max_length=16, verbose_name='channel')),
                ('is_archived', models.BooleanField(default=False, verbose_name='archived')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'subscription group',
                'verbose_name_plural': 'subscription groups',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='SubscriptionState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('subscribed', 'subscribed'), ('unsubscribed', 'unsubscribed')], max_length=12, verbose_name='state')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='changed')),
                ('group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='states', to='audience.subscriptiongroup')),
                ('profile', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='subscription_states', to='audience.profile')),
            ],
            options={
                'verbose_name': 'subscription state',
                'verbose_name_plural': 'subscription states',
                'indexes': [models.Index(fields=['group', 'state', 'profile'], name='subscription_state_by_group')],
                'constraints': [models.UniqueConstraint(fields=('profile', 'group'), name='subscription_state_once')],
            },
        ),
    ]
