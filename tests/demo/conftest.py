import pytest

from demo.seed import seed_shop


@pytest.fixture
def shop(db: None) -> None:
    """The shop with its stock, its shoppers and their orders."""
    seed_shop()
