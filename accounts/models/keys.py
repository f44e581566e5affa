"""Keys of the deployment itself. DATA_KEYS wrap them, so that these stay while those are rotated."""

from django.db import models

from accounts import sealing


class DeploymentKey(models.Model):
    """One key for one purpose, made once."""

    purpose = models.CharField(max_length=20, unique=True)
    wrapped = models.BinaryField(default=sealing.new_data_key, editable=False)

    def __str__(self) -> str:
        return self.purpose
