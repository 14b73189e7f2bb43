"""What every Canvas test starts with."""

import pytest

from canvas import experiments, graph


@pytest.fixture(autouse=True)
def _no_graphs_of_other_tests():
    graph.forget()
    experiments.forget()
