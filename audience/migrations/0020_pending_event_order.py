import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('audience', '0008_suppression')]

    operations = [
        migrations.AlterField(
            model_name='pendingevent',
            name='profile',
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='audience.profile'
            ),
        ),
        migrations.AddIndex(
            model_name='pendingevent',
            index=models.Index(fields=['profile', 'id'], name='pending_event_by_profile'),
        ),
    ]
