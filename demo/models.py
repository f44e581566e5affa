"""What Harbor & Pine sells, to whom, and what they ordered."""

from decimal import Decimal

from django.db import models


class Product(models.Model):
    """Something on the shelf; words in English and Chinese."""

    slug = models.SlugField(unique=True)
    category = models.CharField(max_length=20)
    title = models.CharField(max_length=80)
    title_zh = models.CharField(max_length=80)
    blurb = models.CharField(max_length=160)
    blurb_zh = models.CharField(max_length=160)
    details = models.TextField()
    details_zh = models.TextField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    featured = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return self.title

    @property
    def image(self) -> str:
        """Path of the picture among the static files."""
        return f"demo/products/{self.slug}.svg"

    def title_in(self, locale: str) -> str:
        return self.title_zh if locale == "zh" else self.title


class Shopper(models.Model):
    """Somebody with an account at the shop; `sub` is what the widget's token calls them."""

    sub = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    email = models.EmailField()
    phone = models.CharField(max_length=30)
    tier = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """One order; only while it is being prepared can it be cancelled."""

    class Status(models.TextChoices):
        PROCESSING = "processing"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        CANCELLED = "cancelled"

    number = models.CharField(max_length=20, unique=True)
    shopper = models.ForeignKey(Shopper, on_delete=models.CASCADE, related_name="orders")
    status = models.CharField(max_length=12, choices=Status.choices)
    placed_on = models.DateField()
    eta = models.DateField(null=True, blank=True)
    delivered_on = models.DateField(null=True, blank=True)
    recipient = models.CharField(max_length=80)
    phone = models.CharField(max_length=30)
    address = models.CharField(max_length=160)
    # The key of the tool call that cancelled it, so that a repetition of that call is known.
    cancelled_by = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("-placed_on", "-number")

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Decimal:
        return sum((item.price * item.quantity for item in self.items.all()), Decimal(0))


class OrderItem(models.Model):
    """One line of an order, at the price it was sold for."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveSmallIntegerField(default=1)
    price = models.DecimalField(max_digits=8, decimal_places=2)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"
