import django.core.validators
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0007_imports'), ('workspace', '0001_initial')]

    operations = [
        migrations.CreateModel(
            name='SuppressionList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, unique=True, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('filters', models.JSONField(blank=True, default=dict, verbose_name='filters')),
                ('status', models.CharField(choices=[('inactive', 'inactive'), ('active', 'active'), ('archived', 'archived')], default='inactive', max_length=8, verbose_name='status')),
                ('spares_api', models.BooleanField(default=False, verbose_name='not for API-triggered sends')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('exception_tags', models.ManyToManyField(blank=True, help_text='Campaigns and Canvases with one of these tags may message the people on this list.', related_name='+', to='workspace.tag', verbose_name='exception tags')),
            ],
            options={
                'verbose_name': 'suppression list',
                'verbose_name_plural': 'suppression lists',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='GlobalControl',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('percentage', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(15)], verbose_name='share (%)')),
                ('ranges', models.JSONField(default=list, editable=False)),
                ('treatment_ranges', models.JSONField(default=list, editable=False)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='started')),
                ('ended_at', models.DateTimeField(editable=False, null=True, verbose_name='ended')),
                ('exclusion_tags', models.ManyToManyField(blank=True, help_text='Campaigns and Canvases with one of these tags reach the control group too.', related_name='+', to='workspace.tag', verbose_name='exclusion tags')),
            ],
            options={
                'verbose_name': 'global control group',
                'verbose_name_plural': 'global control groups',
                'ordering': ['-started_at'],
                'constraints': [models.UniqueConstraint(models.Value(1), condition=models.Q(('ended_at__isnull', True)), name='one_running_global_control', violation_error_message='There is a global control group. Disable it first.'), models.CheckConstraint(condition=models.Q(('percentage__gte', 1), ('percentage__lte', 15)), name='global_control_1_to_15_percent')],
            },
        ),
    ]
