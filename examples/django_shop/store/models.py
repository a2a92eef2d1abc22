"""The nouns: each a table, each object of a model one record, which creates, updates and deletes itself.

    Customer 1 -- 0..1 ShippingAddress
       1
       |
       *
    Review * -- 1 Product
"""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class CustomerManager(BaseUserManager):
    """Finds and makes customers."""

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)

    def create_user(self, email, name, password=None, **more):
        customer = self.model(email=self.normalize_email(email), name=name, **more)
        customer.set_password(password)
        customer.save(using=self._db)
        return customer

    def create_superuser(self, email, name, password=None):
        return self.create_user(email, name, password, is_staff=True, is_superuser=True)


class Customer(AbstractBaseUser, PermissionsMixin):
    """Who buys here. Django's own user, known by email; of the password a slow hash is kept."""

    name = models.CharField(max_length=80)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField("may use the admin pages", default=False)
    is_active = models.BooleanField(default=True)

    objects = CustomerManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_customer_by_email")]

    def __str__(self):
        return self.name


class ShippingAddress(models.Model):
    """Where a customer's parcels go: one for each at most, for its key is the customer's."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="shipping_address"
    )
    street = models.CharField("street and number", max_length=120)
    postcode = models.CharField(max_length=20)
    city = models.CharField("town or city", max_length=120)
    country = models.CharField(max_length=120)

    class Meta:
        verbose_name_plural = "shipping addresses"

    def __str__(self):
        return f"{self.street}, {self.postcode} {self.city}, {self.country}"


class ProductQuerySet(models.QuerySet):
    """Questions about products that no single record answers."""

    def rated(self):
        """Each with the mean and the number of its reviews, all by one statement."""
        return self.annotate(mean=models.Avg("reviews__rating"), count=models.Count("reviews")).order_by("pk")


class Product(models.Model):
    """What is sold."""

    name = models.CharField(max_length=80, unique=True)
    about = models.CharField(max_length=200)
    cents = models.PositiveIntegerField()

    objects = ProductQuerySet.as_manager()

    def __str__(self):
        return self.name


class Review(models.Model):
    """What a customer thinks of a product: of each one at most."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="reviews")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    rating = models.PositiveSmallIntegerField()
    text = models.TextField(max_length=2000)
    written = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "product"], name="one_review_of_a_product"),
            models.CheckConstraint(condition=models.Q(rating__range=(1, 5)), name="one_to_five_stars"),
        ]

    def __str__(self):
        return f"{self.product} by {self.customer}: {self.rating} of 5"
