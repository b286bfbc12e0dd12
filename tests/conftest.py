"""Says at the end of a run how many draws the searches for counterexamples made."""

from theorems import DRAWS


def pytest_terminal_summary(terminalreporter) -> None:
    if DRAWS:
        total, fewest = sum(DRAWS.values()), min(DRAWS.values())
        terminalreporter.write_line(
            f"{total:,} property draws in {len(DRAWS)} searches for a counterexample, at least {fewest:,} in each"
        )
