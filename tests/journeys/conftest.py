"""One running product and one browser for all journeys; who arrives has a browser context of their own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys import chromium
from tests.journeys.model import StandIn
from tests.journeys.people import Arrive, Person
from tests.journeys.product import Product


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys come last: playwright keeps an event loop where asynchronous tests want to run theirs."""
    items.sort(key=lambda item: "journey" in item.keywords)


@pytest.fixture(scope="session")
def model() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.stop()


@pytest.fixture(scope="session")
def product(model: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("product") / "var", model.url)
    try:
        running.wait_until_ready()
        yield running
    finally:
        left = running.stop()
    assert not left, f"still running: {left}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.launched() as launched:
        yield launched


@pytest.fixture
def arrive(browser: Browser, product: Product) -> Iterator[Arrive]:
    """Let a person come with a browser of their own; whatever went wrong in it fails the test."""
    people: list[Person] = []

    def arrive(**options: object) -> Person:
        people.append(Person(browser, product, **options))
        return people[-1]

    yield arrive
    for person in people:
        person.context.close()
    troubles = [trouble for person in people for trouble in person.troubles]
    assert not troubles, "\n".join(troubles)
