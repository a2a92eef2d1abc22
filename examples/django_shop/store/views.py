"""The verbs. Django calls them views; in the words of MVC each is a controller: it takes a request, has models do something, and
gives a page or the way to another one.

A function that shows a form also takes it, as Django's own do: GET shows, POST does, and a form in which something is wrong is
shown again, with what was typed.
"""

from functools import wraps

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from store.forms import AccountForm, AddressForm, NameForm, ReviewForm, SignInForm
from store.models import Customer, Product, Review, ShippingAddress

shows_and_takes = require_http_methods(["GET", "HEAD", "POST"])

# Reviews that one page shows.
PAGE = 20


def atomic_if_sent(view):
    """All that a POST does, or nothing. Who only looks at a form has no need of the lock for writing."""
    atomic = transaction.atomic(view)

    @wraps(view)
    def by_method(request, *args, **kwargs):
        return (atomic if request.method == "POST" else view)(request, *args, **kwargs)

    return by_method


def sent(request):
    """What was sent; None where a form is only shown."""
    return request.POST if request.method == "POST" else None


def show_form(request, template, form, **more):
    """The page of a form: as it is, or refused with what was typed."""
    return render(request, template, {"form": form, **more}, status=422 if form.errors else 200)


@require_safe
def show_products(request):
    return render(request, "store/products.html", {"products": Product.objects.rated()})


@require_safe
def show_product(request, product):
    product = get_object_or_404(Product.objects.rated(), pk=product)
    reviews = product.reviews.select_related("customer").order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        reviews = reviews.filter(pk__lt=int(before))
    shown = list(reviews[: PAGE + 1])
    older = shown[PAGE - 1].pk if len(shown) > PAGE else None
    return render(
        request, "store/product.html", {"product": product, "reviews": shown[:PAGE], "older": older, "before": before}
    )


@shows_and_takes
def create_account(request):
    form = AccountForm(sent(request))
    if request.method == "POST" and form.is_valid():
        customer = form.create()
        if customer is not None:
            login(request, customer)
            messages.success(request, "Your account was created.")
            return redirect("account")
    return show_form(request, "store/account_form.html", form)


@shows_and_takes
def sign_in(request):
    wanted = request.POST.get("next", request.GET.get("next", ""))
    is_own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    next_page = wanted if is_own else ""
    form = SignInForm(sent(request))
    if request.method == "POST" and form.is_valid():
        sound = form.cleaned_data
        customer = authenticate(request, email=sound["email"], password=sound["password"])
        if customer is not None:
            login(request, customer)
            messages.success(request, "You are signed in.")
            return redirect(next_page or "account")
        form.add_error("password", SignInForm.TOGETHER)
    return show_form(request, "store/sign_in.html", form, next=next_page)


@require_POST
def sign_out(request):
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("products")


@require_safe
@login_required
def show_account(request):
    address = ShippingAddress.objects.filter(customer=request.user).first()
    reviews = request.user.reviews.select_related("product").order_by("-pk")[:100]
    return render(request, "store/account.html", {"address": address, "reviews": reviews})


@shows_and_takes
@login_required
def change_name(request):
    # A copy of its own: a form writes into its record even what it then refuses, and the page's head shows the name.
    customer = Customer.objects.get(pk=request.user.pk)
    form = NameForm(sent(request), instance=customer)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name was changed.")
        return redirect("account")
    return show_form(request, "store/name_form.html", form)


@shows_and_takes
@login_required
def close_account(request):
    if request.method == "POST":
        customer = request.user
        logout(request)
        customer.delete()
        messages.success(request, "Your account was closed.")
        return redirect("products")
    return render(request, "store/close_account.html")


@shows_and_takes
@login_required
@atomic_if_sent
def update_shipping_address(request):
    address = ShippingAddress.objects.filter(customer=request.user).first()
    is_there = address is not None
    form = AddressForm(sent(request), instance=address or ShippingAddress(customer=request.user))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your address was saved.")
        return redirect("account")
    return show_form(request, "store/address_form.html", form, is_there=is_there)


@require_POST
@login_required
def delete_shipping_address(request):
    ShippingAddress.objects.filter(customer=request.user).delete()
    messages.success(request, "Your address was deleted.")
    return redirect("account")


@shows_and_takes
@login_required
@atomic_if_sent
def write_review(request, product):
    product = get_object_or_404(Product, pk=product)
    review = Review.objects.filter(customer=request.user, product=product).first()
    form = ReviewForm(sent(request), instance=review or Review(customer=request.user, product=product))
    if request.method == "POST" and form.is_valid():
        form.instance.written = timezone.now()
        form.save()
        messages.success(request, "Your review was saved.")
        return redirect("product", product.pk)
    return show_form(request, "store/review_form.html", form, product=product)


@require_POST
@login_required
def delete_review(request, product):
    product = get_object_or_404(Product, pk=product)
    Review.objects.filter(customer=request.user, product=product).delete()
    messages.success(request, "Your review was deleted.")
    return redirect("product", product.pk)


def say_there_is_nothing(request, exception):
    """What Django calls for a 404."""
    problem = {
        "status": "404 Not Found",
        "wrong": f"There is nothing at {request.path} here.",
        "right": "Go to the shop and look around.",
    }
    return render(request, "store/problem.html", problem, status=404)


def say_form_is_foreign(request, reason=""):
    """What Django calls for a form without a good token."""
    problem = {
        "status": "403 Forbidden",
        "wrong": "This form did not come from a page of this shop, or from one that is too old.",
        "right": "Nothing was changed. Open the page again, with cookies allowed, and send its form from there.",
    }
    return render(request, "store/problem.html", problem, status=403)
