"""Which function answers which request. Asking changes nothing; what changes something is sent."""

from django.urls import path

from store import views

urlpatterns = [
    path("", views.show_products, name="products"),
    path("products/<int:product>", views.show_product, name="product"),
    path("products/<int:product>/review", views.write_review, name="review"),
    path("products/<int:product>/review/delete", views.delete_review, name="delete_review"),
    path("account", views.show_account, name="account"),
    path("account/new", views.create_account, name="create_account"),
    path("account/name", views.change_name, name="change_name"),
    path("account/close", views.close_account, name="close_account"),
    path("account/address", views.update_shipping_address, name="address"),
    path("account/address/delete", views.delete_shipping_address, name="delete_address"),
    path("sign-in", views.sign_in, name="sign_in"),
    path("sign-out", views.sign_out, name="sign_out"),
]
