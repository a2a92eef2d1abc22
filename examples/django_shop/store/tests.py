"""The shop from a browser's point of view: `python manage.py test`."""

import os
import tempfile
from pathlib import Path
from unittest import mock

from django.core.management import call_command
from django.db import connection
from django.test import Client, TestCase, override_settings
from django.test.utils import CaptureQueriesContext

from shop.secret import secret_key
from store.models import Customer, Product, Review, ShippingAddress
from store.templatetags.looks import stars

ACCOUNT = {"name": "Ada Lovelace", "email": "ada@example.com", "password": "analytical engine"}
ADDRESS = {"street": "St James's Square 12", "postcode": "SW1Y 4JH", "city": "London", "country": "England"}

# A hash that is quick to make: what is tested is not how slow it is.
quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


@quick
class Shop(TestCase):
    def setUp(self):
        self.tea = Product.objects.get(name="Tea")

    def create_account(self, **changed):
        return self.client.post("/account/new", ACCOUNT | changed)

    def assert_refused(self, page, name, message):
        """The form came back, with this message at this field."""
        self.assertEqual(page.status_code, 422)
        self.assertContains(page, f'<p class="error" id="{name}-error">{message}</p>', status_code=422, html=True)

    def test_the_way_through_the_shop(self):
        self.assertContains(self.client.get("/"), "A packet of tea. It travels well.")
        answer = self.create_account()
        self.assertRedirects(answer, "/account", status_code=302)
        self.assertContains(self.client.get("/account"), "You have no shipping address yet.")
        answer = self.client.post("/account/address", ADDRESS, follow=True)
        self.assertContains(answer, "Your address was saved.")
        self.assertContains(answer, "St James&#x27;s Square 12")
        answer = self.client.post("/account/address", ADDRESS | {"city": "Paris"}, follow=True)
        self.assertContains(answer, "SW1Y 4JH Paris")
        self.assertEqual(ShippingAddress.objects.count(), 1)
        review = {"rating": "5", "text": "It travelled well.\r\nTwice."}
        answer = self.client.post(f"/products/{self.tea.pk}/review", review, follow=True)
        self.assertContains(answer, "Your review was saved.")
        self.assertContains(answer, "It travelled well.\nTwice.")
        answer = self.client.post(f"/products/{self.tea.pk}/review", review | {"rating": "3"}, follow=True)
        self.assertContains(answer, "★★★☆☆")
        self.assertEqual(Review.objects.get().customer, Customer.objects.get())

    def test_refused_forms_say_why_and_keep_what_was_typed(self):
        page = self.create_account(email="ada", password="short")
        self.assert_refused(page, "email", "Enter an email address, such as ada@example.com.")
        self.assert_refused(page, "password", "Use at least 10 characters.")
        self.assertContains(page, 'value="Ada Lovelace"', status_code=422)
        self.assertContains(page, 'aria-describedby="password-hint password-error"', status_code=422)
        self.assertNotContains(page, "short", status_code=422)
        self.create_account()
        self.assert_refused(
            self.create_account(email="ADA@example.com"), "email", "There is an account with this email already."
        )
        page = self.client.post(f"/products/{self.tea.pk}/review", {"rating": "6", "text": " "})
        self.assert_refused(page, "rating", "Choose 1 to 5 stars.")
        self.assert_refused(page, "text", "Write a few words.")
        self.assert_refused(self.client.post("/account/address", ADDRESS | {"city": ""}), "city", "Enter the town or city.")
        for unseen in ["a\x00b", "a\nb", "a\u202eb"]:
            page = self.client.post("/account/name", {"name": unseen})
            self.assert_refused(page, "name", "Leave out the characters that can&#x27;t be seen.")
        self.assertEqual((Review.objects.count(), ShippingAddress.objects.count()), (0, 0))

    def test_signing_in_and_out(self):
        self.create_account()
        self.assertContains(self.client.post("/sign-out", follow=True), "You are signed out.")
        self.assertRedirects(self.client.get("/account"), "/sign-in?next=/account")
        wrong = {"email": "ada@example.com", "password": "difference engine", "next": "/account/address"}
        self.assert_refused(self.client.post("/sign-in", wrong), "password", "Email and password do not belong together.")
        right = wrong | {"email": "Ada@Example.com", "password": ACCOUNT["password"]}
        self.assertRedirects(self.client.post("/sign-in", right), "/account/address")
        elsewhere = right | {"next": "https://evil.example/"}
        self.assertRedirects(self.client.post("/sign-in", elsewhere), "/account")

    def test_closing_an_account_takes_all_of_it_along(self):
        self.create_account()
        self.client.post("/account/address", ADDRESS)
        self.client.post(f"/products/{self.tea.pk}/review", {"rating": "5", "text": "Good."})
        self.assertContains(self.client.post("/account/close", follow=True), "Your account was closed.")
        self.assertEqual((Customer.objects.count(), Review.objects.count(), ShippingAddress.objects.count()), (0, 0, 0))

    def test_forms_from_elsewhere_are_refused(self):
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/account/new", ACCOUNT)
        self.assertContains(answer, "This form did not come from a page of this shop", status_code=403)
        self.assertEqual(Customer.objects.count(), 0)

    def test_asking_changes_nothing(self):
        self.create_account()
        self.client.post(f"/products/{self.tea.pk}/review", {"rating": "5", "text": "Good."})
        for path in ["/sign-out", f"/products/{self.tea.pk}/review/delete", "/account/address/delete"]:
            self.assertEqual(self.client.get(path).status_code, 405, path)
        for path in ["/account/close", "/account/new?name=x", "/account/name?name=x"]:
            self.assertEqual(self.client.get(path).status_code, 200, path)
        self.assertEqual((Customer.objects.get().name, Review.objects.count()), ("Ada Lovelace", 1))

    def test_who_looks_at_a_form_begins_no_transaction(self):
        self.create_account()
        review = f"/products/{self.tea.pk}/review"
        for path, fields in [("/account/address", ADDRESS), (review, {"rating": "5", "text": "Good."})]:
            for ask, begins in [(lambda: self.client.get(path), False), (lambda: self.client.post(path, fields), True)]:
                with CaptureQueriesContext(connection) as asked:
                    ask()
                # Within the test's own transaction, a view's is a savepoint.
                self.assertEqual(any(query["sql"].startswith("SAVEPOINT") for query in asked), begins, path)

    def test_half_a_star_counts_as_one(self):
        self.assertEqual([stars(mean) for mean in (2.49, 2.5, 4.5)], ["★★☆☆☆", "★★★☆☆", "★★★★★"])
        for number, rating in enumerate([4, 4, 4, 5]):
            customer = Customer.objects.create_user(f"{number}@example.com", f"Customer {number}", "x")
            Review.objects.create(customer=customer, product=self.tea, rating=rating, text="Good.")
        self.assertContains(self.client.get("/"), "4.3 of 5 stars, 4 reviews")

    def test_what_is_typed_is_never_obeyed(self):
        script = "<script>alert(1)</script>"
        self.create_account(name=script)
        text = f"'); DROP TABLE store_review; -- {script}"
        page = self.client.post(f"/products/{self.tea.pk}/review", {"rating": "1", "text": text}, follow=True)
        self.assertNotContains(page, "<script")
        self.assertContains(page, "DROP TABLE store_review; -- &lt;script&gt;")
        self.assertEqual(Review.objects.get().text, text)

    def test_only_ones_own_review_is_touched(self):
        self.create_account()
        self.client.post(f"/products/{self.tea.pk}/review", {"rating": "5", "text": "Mine."})
        self.client.post("/sign-out")
        self.create_account(email="charles@example.com")
        self.client.post(f"/products/{self.tea.pk}/review/delete")
        self.assertEqual(Review.objects.get().text, "Mine.")

    def test_older_reviews_are_a_page_further(self):
        for number in range(25):
            customer = Customer.objects.create_user(f"{number}@example.com", f"Customer {number}", "x")
            Review.objects.create(customer=customer, product=self.tea, rating=4, text=f"Review {number}.")
        page = self.client.get(f"/products/{self.tea.pk}")
        self.assertContains(page, "Review 5.")
        self.assertNotContains(page, "Review 4.")
        older = self.client.get(f"/products/{self.tea.pk}?before={page.context['older']}")
        self.assertContains(older, "Review 4.")
        self.assertNotContains(older, "Older reviews")

    def test_all_ratings_come_by_one_statement(self):
        with self.assertNumQueries(1):
            self.client.get("/")

    def test_what_is_not_there(self):
        self.create_account()
        for path in ["/nowhere", "/products/99", "/products/99/review", f"/products/{10**30}"]:
            self.assertEqual(self.client.get(path).status_code, 404, path)
        for product in [99, 10**30]:
            for path in [f"/products/{product}/review", f"/products/{product}/review/delete"]:
                self.assertEqual(self.client.post(path).status_code, 404, path)
        self.assertContains(self.client.get("/nowhere"), "There is nothing at /nowhere here.", status_code=404)

    def test_the_server_in_front_says_how_the_browser_asked(self):
        as_asked = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.test"}
        answer = self.client.post("/account/new", ACCOUNT, headers=as_asked)
        self.assertTrue(answer.cookies["sessionid"]["secure"])
        self.assertTrue(answer.cookies["sessionid"]["httponly"])
        self.assertFalse(self.create_account(email="b@example.com").cookies["sessionid"]["secure"])
        elsewhere = self.client.get("/", headers={"X-Forwarded-Host": "evil.example"})
        self.assertEqual(elsewhere.status_code, 400)

    def test_the_style_is_served_and_nothing_comes_from_elsewhere(self):
        page = self.client.get("/")
        self.assertContains(page, 'href="/static/store/shop.css"')
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertNotContains(page, "http://")
        self.assertNotContains(page, "https://")
        style = self.client.get("/static/store/shop.css")
        self.assertEqual((style.status_code, style.headers["Content-Type"]), (200, 'text/css; charset="utf-8"'))

    def test_the_admin_pages_show_the_records(self):
        Customer.objects.create_superuser("boss@example.com", "Boss", "analytical engine")
        self.client.post("/sign-in", {"email": "boss@example.com", "password": "analytical engine"})
        for path in ["", "store/customer/", "store/product/", "store/review/", "store/shippingaddress/"]:
            self.assertEqual(self.client.get(f"/admin/{path}").status_code, 200, path)
        self.assertContains(self.client.get("/admin/store/product/"), "A packet of tea.")
        customer = Customer.objects.get()
        self.assertEqual(self.client.get(f"/admin/store/customer/{customer.pk}/change/").status_code, 200)


class Project(TestCase):
    def test_the_migrations_are_those_of_the_models(self):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)

    def test_the_secret_is_made_once_for_its_owner_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "secret.key")
            first = secret_key(path)
            self.assertGreater(len(first), 50)
            self.assertEqual(secret_key(path), first)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertEqual(os.listdir(folder), ["secret.key"])

    def test_of_two_that_make_the_secret_one_is_believed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "secret.key")
            path.write_text("the other's")
            with mock.patch.object(Path, "read_text", side_effect=[FileNotFoundError, "the other's"]):
                self.assertEqual(secret_key(path), "the other's")
            self.assertEqual(path.read_text(), "the other's")
