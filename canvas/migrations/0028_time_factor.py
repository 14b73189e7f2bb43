from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("canvas", "0027_words_for_columns")]

    operations = [
        migrations.AddField(
            model_name="canvas",
            name="time_factor",
            field=models.PositiveSmallIntegerField(default=1, editable=False),
        ),
    ]
