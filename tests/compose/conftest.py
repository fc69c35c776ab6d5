"""The station in containers, built and started once for all tests of this folder."""

from collections.abc import Iterator

import pytest
from compose_stack import Stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("compose"))
    stack.compose("build")
    try:
        stack.up()
        yield stack
    finally:
        stack.close()
