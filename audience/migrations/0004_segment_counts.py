import uuid

import django.db.models.deletion
from django.db import migrations, models


def fill_keys(apps, schema_editor):
    """A column added with a default gives all rows the same key; each needs its own."""
    segments = apps.get_model('audience', 'Segment').objects
    for segment in segments.only('pk'):
        segments.filter(pk=segment.pk).update(key=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [('audience', '0003_profile_details')]

    operations = [
        migrations.AddField(
            model_name='segment',
            name='count_asked_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='segment',
            name='count_seconds',
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='segment',
            name='counted_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='counted'),
        ),
        migrations.AddField(
            model_name='segment',
            name='exact_count',
            field=models.BigIntegerField(editable=False, null=True, verbose_name='profiles'),
        ),
        migrations.AddField(
            model_name='segment',
            name='key',
            field=models.UUIDField(default=uuid.uuid4, editable=False, null=True),
        ),
        migrations.RunPython(fill_keys, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='segment',
            name='key',
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
        migrations.AddField(
            model_name='segment',
            name='tracks_size',
            field=models.BooleanField(default=True, verbose_name='record its size every day'),
        ),
        migrations.AlterField(
            model_name='segment',
            name='filters',
            field=models.JSONField(blank=True, default=dict, help_text='A filter tree, for example {"all": [{"filter": "country", "op": "any_of", "values": ["KR"]}]}.', verbose_name='filters'),
        ),
        migrations.CreateModel(
            name='SegmentSize',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('size', models.BigIntegerField(verbose_name='profiles')),
                ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sizes', to='audience.segment')),
            ],
            options={
                'verbose_name': 'segment size',
                'verbose_name_plural': 'segment sizes',
                'constraints': [models.UniqueConstraint(fields=('segment', 'day'), name='segment_size_once')],
            },
        ),
    ]
