"""Forms: their fields, and the sentence beside each of them that says what is wrong with it."""

from django import forms
from django.core.validators import RegexValidator
from django.db import IntegrityError, transaction

from store.models import Customer, Review, ShippingAddress

UNSEEN = "Leave out the characters that can't be seen."
# They turn the order of the letters around them: of other people's words, too.
TURNING = r"\u202a-\u202e\u2066-\u2069"
# Control characters; in several lines of text, all but the ends of lines and tabs.
seen_line = RegexValidator(rf"[\x00-\x1f\x7f-\x9f{TURNING}]", UNSEEN, inverse_match=True)
seen_text = RegexValidator(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{TURNING}]", UNSEEN, inverse_match=True)


def line(label, most, missing, autocomplete):
    field = forms.CharField(
        label=label,
        max_length=most,
        error_messages={
            "required": missing,
            "max_length": f"Use at most {most} characters.",
            "null_characters_not_allowed": UNSEEN,
        },
        validators=[seen_line],
    )
    field.autocomplete = autocomplete
    return field


def email():
    wrong = "Enter an email address, such as ada@example.com."
    messages = {"required": wrong, "invalid": wrong, "max_length": wrong, "null_characters_not_allowed": UNSEEN}
    field = forms.EmailField(label="Email", max_length=254, error_messages=messages)
    field.autocomplete = "email"
    return field


def name():
    return line("Name", 80, "Enter your name.", "name")


class AccountForm(forms.ModelForm):
    name = name()
    email = email()
    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters.",
        min_length=10,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput,
        error_messages={
            "required": "Use at least 10 characters.",
            "min_length": "Use at least 10 characters.",
            "max_length": "Use at most 200 characters.",
            "null_characters_not_allowed": UNSEEN,
        },
        validators=[seen_line],
    )
    password.autocomplete = "new-password"

    TAKEN = "There is an account with this email already."

    class Meta:
        model = Customer
        fields = ["name", "email"]

    def clean_email(self):
        if Customer.objects.filter(email__iexact=self.cleaned_data["email"]).exists():
            raise forms.ValidationError(self.TAKEN)
        return self.cleaned_data["email"]

    def create(self):
        """The new customer; None where somebody else was faster between the question and the answer."""
        sound = self.cleaned_data
        try:
            with transaction.atomic():
                return Customer.objects.create_user(sound["email"], sound["name"], sound["password"])
        except IntegrityError:
            self.add_error("email", self.TAKEN)
            return None


class SignInForm(forms.Form):
    TOGETHER = "Email and password do not belong together."

    email = email()
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput,
        error_messages={
            "required": "Enter your password.",
            "max_length": TOGETHER,
            "null_characters_not_allowed": UNSEEN,
        },
    )
    password.autocomplete = "current-password"


class NameForm(forms.ModelForm):
    name = name()

    class Meta:
        model = Customer
        fields = ["name"]


class AddressForm(forms.ModelForm):
    street = line("Street and number", 120, "Enter the street and number.", "shipping street-address")
    postcode = line("Postcode", 20, "Enter the postcode.", "shipping postal-code")
    city = line("Town or city", 120, "Enter the town or city.", "shipping address-level2")
    country = line("Country", 120, "Enter the country.", "shipping country-name")

    class Meta:
        model = ShippingAddress
        fields = ["street", "postcode", "city", "country"]


class ReviewForm(forms.ModelForm):
    rating = forms.TypedChoiceField(
        label="Rating",
        coerce=int,
        choices=[(str(stars), "1 star" if stars == 1 else f"{stars} stars") for stars in range(1, 6)],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose 1 to 5 stars.", "invalid_choice": "Choose 1 to 5 stars."},
    )
    text = forms.CharField(
        label="Review",
        max_length=2000,
        widget=forms.Textarea,
        error_messages={
            "required": "Write a few words.",
            "max_length": "Use at most 2,000 characters.",
            "null_characters_not_allowed": UNSEEN,
        },
        validators=[seen_text],
    )

    class Meta:
        model = Review
        fields = ["rating", "text"]

    def clean_text(self):
        return self.cleaned_data["text"].replace("\r\n", "\n")
