from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0028_words_for_columns")]

    operations = [
        migrations.AddField(
            model_name="outreach",
            name="test_of",
            field=models.OneToOneField(
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=models.DO_NOTHING,
                related_name="test",
                to="outreach.outreach",
            ),
        ),
    ]
