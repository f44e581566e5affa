"""Asking models, whatever they are behind: no Django in here."""
