from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0002_identities')]

    operations = [
        migrations.AddField(
            model_name='profile',
            name='email_subscribe_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='email subscription changed'),
        ),
        migrations.AddField(
            model_name='profile',
            name='other_attributes',
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='profile',
            name='push_subscribe_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='push subscription changed'),
        ),
        migrations.AddField(
            model_name='profile',
            name='unformatted_phone',
            field=models.CharField(blank=True, editable=False, max_length=255, verbose_name='unformatted phone'),
        ),
        migrations.AlterField(
            model_name='profile',
            name='phone',
            field=models.CharField(blank=True, help_text='With country code: +82 10 1234 5678.', max_length=32, verbose_name='phone'),
        ),
    ]
