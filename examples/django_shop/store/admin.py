"""The shop's records for who runs it, at /admin/. Django makes these pages from the models alone."""

from django.contrib import admin

from store.models import Customer, Product, Review, ShippingAddress


class AddressOfCustomer(admin.StackedInline):
    model = ShippingAddress


class ReviewsOfCustomer(admin.TabularInline):
    model = Review
    extra = 0


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "is_staff"]
    search_fields = ["name", "email"]
    # Not the password: what stands there is its hash, and typing into it would shut its owner out.
    fields = ["name", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    readonly_fields = ["last_login"]
    inlines = [AddressOfCustomer, ReviewsOfCustomer]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "cents", "about"]


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    list_display = ["product", "customer", "rating", "written"]
    list_filter = ["product", "rating"]


@admin.register(ShippingAddress)
class ShippingAddressAdmin(admin.ModelAdmin):
    list_display = ["customer", "street", "postcode", "city", "country"]
