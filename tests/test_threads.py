"""Threads that wait for work sleep, so that a busy machine is not made busier."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# What OpenMP itself says that it read, when torch loads it: "[host] OMP_WAIT_POLICY = 'PASSIVE'".
CODE = "import {first}, torch"


@pytest.mark.parametrize(
    ("first", "given", "policy"),
    [("helpers", {}, "PASSIVE"), ("helpers.losses", {}, "PASSIVE"),
     ("helpers", {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")],
)
def test_waiting_threads_sleep_unless_the_reader_says_otherwise(first, given, policy):
    kept = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, "-c", CODE.format(first=first)], capture_output=True, text=True,
                          env={**kept, "OMP_DISPLAY_ENV": "true", **given})
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "WAIT_POLICY" in line]
    if not said:
        pytest.skip("this build of torch has another OpenMP, which shows nothing")
    assert all(f"'{policy}'" in line for line in said)
