"""What every test may ask for."""

pytest_plugins = [
    "tests.support.access",
    "tests.support.mqtt_accounts",  # before enrolling, which imports it
    "tests.support.application",
    "tests.support.enrolling",
    "tests.support.parts",
    "tests.support.server",
    "tests.support.states",
    "tests.support.tagging",
]
