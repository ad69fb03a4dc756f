"""The page of a running sandbox, in the system's Chromium."""

import pytest

# What they find wrong is shown as it is in a test.
pytest.register_assert_rewrite("tests.page.requests_half", "tests.page.visit")
