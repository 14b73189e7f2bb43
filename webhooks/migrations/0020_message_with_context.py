from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('webhooks', '0001_initial')]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(
                condition=models.Q(('context__isnull', False)), fields=['profile'], name='message_with_context'
            ),
        ),
    ]
