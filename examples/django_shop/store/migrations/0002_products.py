"""What is sold here."""

from django.db import migrations

PRODUCTS = [
    ("Tea", "A packet of tea. It travels well.", 490),
    ("Frame", "A frame, 14 bytes of wood around any picture.", 1400),
    ("Envelope", "An envelope. Put another one into it.", 80),
    ("Stamp", "A stamp, valid for 64 hops.", 64),
]


def put_into_the_shop(apps, schema_editor):
    product = apps.get_model("store", "Product")
    product.objects.bulk_create(product(name=name, about=about, cents=cents) for name, about, cents in PRODUCTS)


class Migration(migrations.Migration):
    dependencies = [("store", "0001_first")]

    operations = [migrations.RunPython(put_into_the_shop, migrations.RunPython.noop)]
