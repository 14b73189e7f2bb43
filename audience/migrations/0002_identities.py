import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0001_initial')]

    operations = [
        migrations.CreateModel(
            name='Attribute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, unique=True, verbose_name='name')),
                ('type', models.CharField(choices=[('text', 'text'), ('number', 'number'), ('boolean', 'true or false'), ('time', 'time'), ('list', 'list'), ('object', 'object'), ('objects', 'list of objects')], max_length=8, verbose_name='type')),
                ('is_type_fixed', models.BooleanField(default=False, help_text='Values of another type are then refused.', verbose_name='type fixed')),
                ('is_blocked', models.BooleanField(default=False, help_text='New values are refused, and filters no longer offer it.', verbose_name='blocked')),
                ('is_personal', models.BooleanField(default=False, verbose_name='personal data')),
                ('description', models.CharField(blank=True, max_length=255, verbose_name='description')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first seen')),
            ],
            options={
                'verbose_name': 'custom attribute',
                'verbose_name_plural': 'custom attributes',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='FormerId',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=512, unique=True, verbose_name='external ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='renamed')),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='former_ids', to='audience.profile')),
            ],
            options={
                'verbose_name': 'former external ID',
                'verbose_name_plural': 'former external IDs',
            },
        ),
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=255, verbose_name='label')),
                ('name', models.CharField(max_length=512, verbose_name='name')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='audience.profile')),
            ],
            options={
                'verbose_name': 'alias',
                'verbose_name_plural': 'aliases',
                'constraints': [models.UniqueConstraint(fields=('name', 'label'), name='alias_once'), models.UniqueConstraint(fields=('profile', 'label'), name='alias_one_name_a_label')],
            },
        ),
    ]
