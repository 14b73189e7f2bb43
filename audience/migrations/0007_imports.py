import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0006_subscription_groups'), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('file', models.FileField(upload_to='imports/', verbose_name='file')),
                ('digest', models.CharField(db_index=True, editable=False, max_length=64)),
                ('content', models.CharField(choices=[('profiles', 'profiles'), ('events', 'events')], default='profiles', max_length=8, verbose_name='content')),
                ('is_dry_run', models.BooleanField(default=False, help_text='Reads every row and reports on it; changes nothing.', verbose_name='only check')),
                ('may_trigger', models.BooleanField(default=False, help_text='Imported events then start what waits for them.', verbose_name='may trigger campaigns')),
                ('status', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('complete', 'complete'), ('partial', 'complete, with rows left out'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='waiting', editable=False, max_length=9, verbose_name='status')),
                ('encoding', models.CharField(blank=True, editable=False, max_length=32, verbose_name='encoding')),
                ('position', models.BigIntegerField(default=0, editable=False)),
                ('line', models.BigIntegerField(default=0, editable=False)),
                ('size', models.BigIntegerField(default=0, editable=False)),
                ('row_count', models.BigIntegerField(default=0, editable=False, verbose_name='rows read')),
                ('created_count', models.BigIntegerField(default=0, editable=False, verbose_name='profiles created')),
                ('updated_count', models.BigIntegerField(default=0, editable=False, verbose_name='rows taken')),
                ('skipped_count', models.BigIntegerField(default=0, editable=False, verbose_name='rows left out')),
                ('warning_count', models.BigIntegerField(default=0, editable=False, verbose_name='values left out')),
                ('report', models.FileField(blank=True, editable=False, upload_to='imports/', verbose_name='report')),
                ('error', models.TextField(blank=True, editable=False, verbose_name='error')),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='uploaded')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ImportedProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='audience.profile')),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='profiles', to='audience.import')),
            ],
            options={
                'verbose_name': 'imported profile',
                'verbose_name_plural': 'imported profiles',
                'constraints': [models.UniqueConstraint(fields=('source', 'profile'), name='imported_profile_once')],
            },
        ),
    ]
