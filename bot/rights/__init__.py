"""What customers may ask for, and what time alone brings: a copy of everything, and its end."""
