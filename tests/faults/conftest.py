"""One running product for all faults; every test ends before the same judge."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.faults.play import Play
from tests.faults.stage import Stage


@pytest.fixture(scope="session")
def whole_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("faults"))
    try:
        yield stage
    finally:
        stage.close()


@pytest.fixture
def stage(whole_product: Stage, request: pytest.FixtureRequest) -> Stage:
    failed = request.session.testsfailed
    whole_product.reset(anew=failed > whole_product.failures)
    whole_product.failures = failed
    return whole_product


@pytest.fixture
async def play(stage: Stage) -> AsyncIterator[Play]:
    """Customers for one test, which ends with `judge`."""
    play = Play(stage)
    yield play
    await play.leave()
