"""Which function answers which request."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("store.urls")),
]

handler404 = "store.views.say_there_is_nothing"
