from django.urls import path

sockets: list[object] = []
