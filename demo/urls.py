"""Where the shop's pages are."""

from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [
    path("", views.home, name="home"),
    path("products/", views.products, name="products"),
    path("products/<slug:slug>/", views.product, name="product"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_article, name="article"),
    path("privacy/", views.privacy, name="privacy"),
    path("orders/", views.orders, name="orders"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
